import { Command } from 'commander';
import { BadInput, EXIT } from '../exit-codes';
import { findOne, tellRunning } from '../find-running';
import type { Ends } from '../program';
import { say } from '../secrets';

/** What a running migration is told, with the table's name, lest another one hears it. */
const TOLD: Readonly<Record<string, string>> = {
  pause: 'Holds copy, replay and comparison.',
  continue: 'Lets it go on.',
  postpone: 'Holds the swap back, until cut-over.',
  'cut-over': 'Lets the swap follow, whatever held it back.',
  panic: 'Stops it at once; everything is taken back.',
};

export function steerCommands(ends: Ends): Command[] {
  const told = Object.entries(TOLD).map(([name, help]) =>
    new Command(name)
      .description(help)
      .argument('[table]', 'which migration, where several run')
      .action(async (table: string | undefined) => {
        const one = await findOne(table);
        say((await tellRunning(one, { command: name, value: one.now.table })).text);
        ends(EXIT.done);
      }),
  );
  const set = new Command('set')
    .description('Changes a setting of a running migration; status lists them.')
    .argument('<setting>', 'name=value, as throttle.maxLagMs=500')
    .argument('[table]', 'which migration, where several run')
    .action(async (setting: string, table: string | undefined) => {
      const at = setting.indexOf('=');
      if (at < 1) throw new BadInput('Say name=value, as throttle.maxLagMs=500.');
      const request = { command: setting.slice(0, at), value: setting.slice(at + 1) };
      if (!request.command.includes('.'))
        throw new BadInput(`There is no setting '${request.command}'; status lists them.`);
      say((await tellRunning(await findOne(table), request)).text);
      ends(EXIT.done);
    });
  return [...told, set];
}
