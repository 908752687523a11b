import { Command } from 'commander';
import { EXIT } from '../exit-codes';
import { findRunning, ofTable } from '../find-running';
import type { Ends } from '../program';
import { say } from '../secrets';

export function statusCommand(ends: Ends): Command {
  return new Command('status')
    .description('How the migrations on this machine stand; exit code 2 if there is none.')
    .argument('[table]', 'default: all')
    .option('--json', 'as JSON')
    .action(async (table: string | undefined, { json = false }: { json?: boolean }) => {
      const found = ofTable(await findRunning(), table);
      if (json)
        say(
          JSON.stringify(
            found.map(({ now }) => now),
            null,
            2,
          ),
        );
      else
        say(found.map(({ text }) => text).join('\n') || 'No migration is running here under this account.');
      ends(found.length === 0 ? EXIT.refused : EXIT.done);
    });
}
