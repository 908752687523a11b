import { Command } from 'commander';
import type { LargeHadronOptions } from '../../options/options';
import { withKnex, type ConnectionFlags } from '../connection';
import { addConnectionFlags } from '../connection-flags';
import { EXIT } from '../exit-codes';
import { addOptionFlags, optionsFrom } from '../option-flags';
import type { Ends } from '../program';
import { say } from '../secrets';

type Flags = ConnectionFlags & { readonly ghost?: boolean; readonly json?: boolean } & Record<
    string,
    unknown
  >;

export function planCommand(ends: Ends): Command {
  const command = new Command('plan')
    .description(
      'Says what a migration would do, and what stands in its way; exit code 2 if it would refuse.',
    )
    .argument('<table>', "'emails' or 'schema.emails'")
    .argument('<alter>', "as after ALTER TABLE: 'ADD COLUMN a INT'")
    .option('--ghost', 'try the change on a real new table, which is removed again')
    .option('--json', 'as JSON');
  return addOptionFlags(addConnectionFlags(command)).action(
    async (table: string, alter: string, flags: Flags) => {
      const { planLargeHadronMigration } = await import('../../plan-large-hadron-migration.js');
      const plan = await withKnex(flags, (knex) => {
        const dryRun = flags.ghost === true ? 'ghost' : true;
        const options = { ...optionsFrom(flags), knex, dryRun } as LargeHadronOptions;
        return planLargeHadronMigration(table, options, alter);
      });
      say(flags.json === true ? JSON.stringify(plan, null, 2) : plan.text);
      ends(plan.problems.length === 0 ? EXIT.done : EXIT.refused);
    },
  );
}
