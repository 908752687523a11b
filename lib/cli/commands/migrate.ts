import { Command } from 'commander';
import { LargeHadronEvents } from '../../events/emitter';
import type { LargeHadronOptions } from '../../options/options';
import { formatCount, formatDuration } from '../../progress/format';
import { withKnex, type ConnectionFlags } from '../connection';
import { addConnectionFlags } from '../connection-flags';
import { EXIT } from '../exit-codes';
import { addOptionFlags, optionsFrom } from '../option-flags';
import type { Ends } from '../program';
import { say, tell } from '../secrets';

type Flags = ConnectionFlags & { readonly json?: boolean } & Record<string, unknown>;

export function migrateCommand(ends: Ends): Command {
  const command = new Command('migrate')
    .description('Changes a table while the application goes on.')
    .argument('<table>', "'emails' or 'schema.emails'")
    .argument('<alter>', "as after ALTER TABLE: 'ADD COLUMN a INT'")
    .option('--json', 'the result as JSON');
  return addOptionFlags(addConnectionFlags(command)).action(
    async (table: string, alter: string, flags: Flags) => {
      // Not before it is needed: what only speaks to a migration starts in half the time without.
      const { largeHadronMigrate } = await import('../../large-hadron-migrate.js');
      const events = new LargeHadronEvents();
      events.on('warning', ({ message }) => tell(`warning: ${message}`));
      const result = await withKnex(flags, (knex) =>
        largeHadronMigrate(table, { ...optionsFrom(flags), events, knex } as LargeHadronOptions, alter),
      );
      const { rowsCopied, changesApplied, durations, cutOver, oldTable, testedTable } = result;
      const words =
        `${result.table}: ${formatCount(rowsCopied)} rows copied, ${formatCount(changesApplied)} changes applied in ` +
        `${formatDuration(durations.total)}; writers waited ${Math.round(cutOver.stallMs)} ms at most for the swap; ` +
        whereTablesAre(oldTable, testedTable);
      say(flags.json === true ? JSON.stringify(result, null, 2) : words);
      ends(EXIT.done);
    },
  );
}

function whereTablesAre(oldTable: string | null, testedTable: string | null): string {
  if (testedTable !== null) return `the table is as it was, and the new one is '${testedTable}'`;
  return oldTable === null ? 'the original was dropped' : `the original is '${oldTable}'`;
}
