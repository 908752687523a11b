import { Command } from 'commander';
import { ask } from '../../control/client';
import { describeEnding, isEnding, type Ending } from '../../control/ending';
import { formatLine, oneLine } from '../../progress/format';
import { canDraw } from '../../progress/shown-on';
import { clock } from '../../util/clock';
import { fileExists } from '../../util/file-exists';
import { EXIT, BadInput, DoesNotAnswer, exitCodeFor } from '../exit-codes';
import { findAnyOne, look, type Running, type Silent } from '../find-running';
import type { Ends } from '../program';
import { isHeard, say } from '../secrets';
import { page, WIDTH } from '../watch-page';

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
      const one = await findAnyOne(table);
      const over = new AbortController();
      ends(await watch(one, ms, endingOf(one.path, over.signal)).finally(() => over.abort()));
    });
}

/**
 * @param waiting how it ends; null where its process does not say so
 * @returns what to exit with
 */
async function watch(one: Running | Silent, ms: number, waiting: Promise<Ending | null>): Promise<number> {
  const speeds: number[] = [];
  const backlogs: number[] = [];
  let name = 'now' in one ? one.now.table : one.path;
  for (let seen: Running | Silent | null = one; seen !== null; seen = await look(one.path, 'sup')) {
    if ('now' in seen) {
      const { now } = seen;
      name = now.table;
      speeds.push(now.rowsPerSecond);
      backlogs.push(now.backlog);
      for (const values of [speeds, backlogs]) values.splice(0, values.length - WIDTH);
      show(formatLine(now), () => page(now, { speeds, backlogs }, process.stdout));
    } else show(`[lhm] ${name}: does not answer (${seen.why}); it is asked again`);
    await clock.sleep(ms);
    // Nobody watches.
    if (!isHeard()) return EXIT.done;
  }
  const ending = await waiting;
  if (ending !== null) {
    say(oneLine(`${name}: it has ended: ${describeEnding(ending)}`));
    return exitCodeFor(ending.outcome);
  }
  // A migration that comes to its end takes its socket away.
  if (await fileExists(one.path).catch(() => false))
    throw new DoesNotAnswer(
      `${oneLine(name)}: its process is gone without having ended the migration, as by kill -9. Look at the table; the next run removes what is left, and so does lhm clean-up.`,
    );
  say(oneLine(`${name}: it has ended`));
  return EXIT.done;
}

/** The longest that a timer can wait, in ms. */
const LONGEST_MS = 2 ** 31 - 1;

/** How it ends, when it does; null where its process does not say so. Never rejects. */
async function endingOf(path: string, signal: AbortSignal): Promise<Ending | null> {
  const reply = await ask({ path }, { command: 'wait' }, { withinMs: LONGEST_MS, signal }).catch(() => null);
  return isEnding(reply?.data) ? reply.data : null;
}

/** @param drawn instead, where a terminal is */
function show(line: string, drawn = (): string => line): void {
  say(canDraw(process.stdout) ? CLEAR + drawn() : line);
}
