import { Command } from 'commander';
import { formatCount, formatLine } from '../../progress/format';
import type { ProgressSnapshot } from '../../progress/progress';
import { clock } from '../../util/clock';
import { EXIT, BadInput } from '../exit-codes';
import { findOne, tellRunning, type Running } from '../find-running';
import type { Ends } from '../program';
import { say } from '../secrets';
import { sparkline } from '../sparkline';

/** Values that are shown side by side. */
const WIDTH = 60;

/** Clears the terminal, and begins at its top. */
const CLEAR = '\x1b[2J\x1b[H';

export function watchCommand(ends: Ends): Command {
  return new Command('watch')
    .description('Shows a running migration until it ends; lines where no terminal is.')
    .argument('[table]', 'which migration, where several run')
    .option('--interval-ms <ms>', 'between two looks', '1000')
    .action(async (table: string | undefined, { intervalMs }: { intervalMs: string }) => {
      const ms = Number(intervalMs);
      if (!(ms >= 50 && ms <= 3_600_000))
        throw new BadInput('--interval-ms takes a number from 50 to 3600000.');
      await watch(await findOne(table), ms);
      ends(EXIT.done);
    });
}

async function watch(running: Running, ms: number): Promise<void> {
  const speeds: number[] = [];
  const backlogs: number[] = [];
  for (let now: ProgressSnapshot | null = running.now; now !== null; now = await look(running)) {
    speeds.push(now.rowsPerSecond);
    backlogs.push(now.backlog);
    for (const values of [speeds, backlogs]) values.splice(0, values.length - WIDTH);
    say(process.stdout.isTTY ? CLEAR + page(now, speeds, backlogs) : formatLine(now));
    await clock.sleep(ms);
  }
  say(`${running.now.table}: it has ended`);
}

/** null when nobody answers any more. */
async function look(running: Running): Promise<ProgressSnapshot | null> {
  const reply = await tellRunning(running, { command: 'sup' }).catch(() => null);
  return reply === null ? null : (reply.data as ProgressSnapshot);
}

function page(now: ProgressSnapshot, speeds: readonly number[], backlogs: readonly number[]): string {
  return [
    ...formatLine(now).split(', '),
    '',
    `rows/s   ${sparkline(speeds, WIDTH)} ${formatCount(now.rowsPerSecond)}`,
    `backlog  ${sparkline(backlogs, WIDTH)} ${formatCount(now.backlog)}`,
  ].join('\n');
}
