import { qualified } from '../database/sql';
import { isLockTimeout, messageOf } from '../database/server-error';
import { debugLog } from '../events/debug-log';
import { deadlineIn } from './deadline';
import type { CutOverDeps, SwapStrategy, SwapTimes } from './cut-over-deps';
import { carryAutoIncrement, checkGhost, drainLocked } from './final-drain';
import { answerOldReadViews, prepareAnswer, type OldReadViews } from './old-read-views';
import { Postponed } from './postponed';
import { clock } from '../util/clock';

const log = debugLog('cut-over');

/**
 * One attempt: lock, apply the last changes, swap.
 *
 * @throws Postponed with every lock released and the origin in place; any other error may have come after the swap
 */
export async function lockedAttempt(
  deps: CutOverDeps,
  strategy: SwapStrategy,
  answer: OldReadViews,
): Promise<SwapTimes> {
  const { work, options, signal } = deps;
  await work.execute(
    `SET SESSION lock_wait_timeout = ${Math.ceil(options.cutOver.lockTimeoutMs / 1000)}, SESSION innodb_lock_wait_timeout = 1`,
  );
  await prepareAnswer(deps, answer);
  const more = await strategy.prepare();
  const started = clock.monotonic();
  await lock(deps, more);
  const lockedMs = clock.monotonic() - started;
  let oldReadViews: number;
  try {
    const deadline = deadlineIn(options.cutOver.drainBudgetMs, 'cutOver.drainBudgetMs');
    await drainLocked(deps, deadline);
    await carryAutoIncrement(deps);
    oldReadViews = await answerOldReadViews(deps, answer, deadline);
    await checkGhost(deps);
    signal.throwIfAborted();
    await strategy.swap();
  } catch (error) {
    if (!work.lost) await work.execute('UNLOCK TABLES');
    // In-doubt transactions and others' row locks show as a lock wait timeout: writers go on, and we try again.
    if (isLockTimeout(error)) throw new Postponed(messageOf(error), { cause: error });
    throw error;
  }
  const stallMs = clock.monotonic() - started;
  log('%s: locked after %d ms, swapped after %d ms', strategy.name, lockedMs, stallMs);
  return { stallMs, oldReadViews };
}

async function lock({ work, pair, verifier }: CutOverDeps, more: readonly string[]): Promise<void> {
  const { names, origin } = pair;
  const tables = [origin.table, names.ghost, names.journal, names.state, ...more];
  if (verifier !== null) tables.push(names.recheck);
  try {
    await work.execute(
      `LOCK TABLES ${tables.map((name) => `${qualified(pair.schema, name)} WRITE`).join(', ')}`,
    );
  } catch (error) {
    if (isLockTimeout(error))
      throw new Postponed(`the lock was not granted: ${messageOf(error)}`, { cause: error });
    throw error;
  }
}
