import { SMALL_BACKLOG } from '../changes/replayer';
import { clock } from '../util/clock';
import type { CutOverDeps } from './cut-over-deps';
import { Postponed } from './postponed';

/** Turns of applying changes before an attempt is made whatever the backlog. */
const TURNS = 10;

/** What takes longer than this to come out of the binary log, in ms, would take as long under the lock. */
const LATE_MS = 1000;

/**
 * Under the lock there is time for a small backlog only, and writers would be blocked for nothing by a larger one.
 *
 * @param untilClear resolves when nobody has to be made way for
 * @param keepUp applies changes for so many ms
 * @throws Postponed while changes come too late for any attempt
 */
export async function catchUp(
  { source, observer, options }: Pick<CutOverDeps, 'source' | 'observer' | 'options'>,
  untilClear: () => Promise<void>,
  keepUp: (ms: number) => Promise<void>,
): Promise<void> {
  const mostMs = Math.max(LATE_MS, options.cutOver.drainBudgetMs);
  let lateMs = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    if (turn > 0) await untilClear();
    const asked = clock.monotonic();
    await source.gather(null);
    lateMs = clock.monotonic() - asked;
    const few = (await source.backlog(observer, SMALL_BACKLOG + 1)) <= SMALL_BACKLOG;
    if (few && lateMs <= mostMs) return;
    await keepUp(1000);
  }
  if (lateMs <= mostMs) return;
  throw new Postponed(`changes come ${(lateMs / 1000).toFixed(1)} s late out of the binary log`, {
    wayOut: 'Wait until the server that it is read from has caught up',
  });
}
