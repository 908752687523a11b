import { Command } from 'commander';
import { EXIT } from '../exit-codes';
import { describeSilent, find, nobody } from '../find-running';
import type { Ends } from '../program';
import { say, tell } from '../secrets';

export function statusCommand(ends: Ends): Command {
  return new Command('status')
    .description(
      'How the migrations on this machine stand; exit code 2 if there is none, 5 if one does not answer.',
    )
    .argument('[table]', 'default: all')
    .option('--json', 'as JSON')
    .action(async (table: string | undefined, { json = false }: { json?: boolean }) => {
      const { running, silent } = await find(table);
      if (json) {
        const all = running.map(({ now }) => now);
        say(JSON.stringify(all, null, 2));
      } else if (running.length > 0) say(running.map(({ text }) => text).join('\n'));
      else if (silent.length === 0) say(nobody(table).message);
      for (const one of silent) tell(describeSilent(one));
      ends(silent.length > 0 ? EXIT.unknown : running.length > 0 ? EXIT.done : EXIT.refused);
    });
}
