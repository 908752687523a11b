import { liveLock } from '../database/metadata-locks';
import { qualified } from '../database/sql';
import { isConnectionLoss, isLockTimeout, isTransient, messageOf } from '../database/server-error';
import { endedWhenSilent } from '../database/silent-holder';
import { unlockTables } from '../database/unlock-tables';
import { debugLog } from '../events/debug-log';
import { confirmSwap } from './confirm-swap';
import { deadlineIn } from './deadline';
import type { Relative } from './locked-step';
import type { CutOverDeps, SwapStrategy, SwapTimes } from './cut-over-deps';
import { carryAutoIncrement, checkGhost, drainLocked } from './final-drain';
import { answerOldReadViews, prepareAnswer, type OldReadViews } from './old-read-views';
import { Postponed } from './postponed';
import { unsettled } from './unsettled';
import { clock } from '../util/clock';

const log = debugLog('cut-over');

/**
 * One attempt: lock, apply the last changes, swap.
 *
 * @throws Postponed with every lock released and the origin in place; any other error may have come after the swap
 */
export function lockedAttempt(
  deps: CutOverDeps,
  strategy: SwapStrategy,
  answer: OldReadViews,
): Promise<SwapTimes> {
  const { lockTimeoutMs, drainBudgetMs } = deps.options.cutOver;
  return endedWhenSilent(deps.work, lockTimeoutMs + drainBudgetMs, () => attempt(deps, strategy, answer));
}

async function attempt(deps: CutOverDeps, strategy: SwapStrategy, answer: OldReadViews): Promise<SwapTimes> {
  const { work, options, signal } = deps;
  await work.execute(
    `SET SESSION lock_wait_timeout = ${Math.ceil(options.cutOver.lockTimeoutMs / 1000)}, SESSION innodb_lock_wait_timeout = 1`,
  );
  let started: number;
  try {
    // It alters the new table, and with that locks those which its keys lead to.
    await prepareAnswer(deps, answer);
    for (const step of deps.steps) await step.prepare();
    const relatives = [];
    for (const step of deps.steps) relatives.push(...(await step.relatives()));
    const sentries = (await strategy.prepare()).map((table) => ({ schema: deps.pair.schema, table }));
    started = clock.monotonic();
    await lock(deps, [...sentries, ...relatives]);
  } catch (error) {
    // One that is killed the moment it is granted may hold the lock all the same.
    await unlockTables(work).catch(() => undefined);
    // What a step has taken for the attempt is not kept through the pause.
    if (work.lost) throw unsettled(error);
    await takeBackSteps(deps);
    if (isTransient(error)) throw new Postponed(messageOf(error), { cause: error });
    throw error;
  }
  const lockedMs = clock.monotonic() - started;
  let oldReadViews: number;
  let swapping = false;
  try {
    const deadline = deadlineIn(options.cutOver.drainBudgetMs, 'cutOver.drainBudgetMs');
    await drainLocked(deps, deadline);
    await carryAutoIncrement(deps);
    oldReadViews = await answerOldReadViews(deps, answer, deadline);
    await checkGhost(deps);
    for (const step of deps.steps) await step.beforeSwap(deadline);
    signal.throwIfAborted();
    swapping = true;
    await strategy.swap();
  } catch (error) {
    let takenBack = false;
    if (!work.lost) {
      try {
        takenBack = !swapping || (await hasNotSwapped(deps, error));
        if (takenBack) await takeBackSteps(deps);
      } finally {
        await unlockTables(work);
      }
    }
    if (!takenBack) throw unsettled(error);
    // In-doubt transactions and others' row locks show as a lock wait timeout, somebody's DDL that waits for the table as
    // a deadlock with the RENAME: writers go on, and we try again.
    if (isLockTimeout(error) || isTransient(error)) throw new Postponed(messageOf(error), { cause: error });
    throw error;
  }
  try {
    for (const step of deps.steps) await step.atSwap();
  } finally {
    await unlockTables(work);
  }
  const stallMs = clock.monotonic() - started;
  log('%s: locked after %d ms, swapped after %d ms', strategy.name, lockedMs, stallMs);
  return { stallMs, oldReadViews };
}

/**
 * A RENAME that was killed may have been done: only the tables tell. One whose connection was lost may still be under way,
 * and what is taken off the ghost now might be the new table's a moment later: that is looked at once it has surely ended.
 */
async function hasNotSwapped({ work, pair }: CutOverDeps, error: unknown): Promise<boolean> {
  return !isConnectionLoss(error) && (await confirmSwap(work, pair)) === 'not-swapped';
}

/** What the attempt changed beside the rows, undone in the opposite order. */
export async function takeBackSteps({ steps, work, options }: CutOverDeps): Promise<void> {
  const bound = liveLock(options.giveUpAfterMs);
  for (const step of [...steps].reverse()) await step.takeBack(work, bound);
}

/** The origin's name and everything that the last changes take. @param other what the other table of the two is called */
export function lockStatement(
  { pair, verifier }: Pick<CutOverDeps, 'pair' | 'verifier'>,
  other: string,
  more: readonly Relative[],
): string {
  const { names, origin } = pair;
  const own = [origin.table, other, names.journal, names.state];
  if (verifier !== null) own.push(names.recheck);
  const tables = new Map(own.map((name) => [qualified(pair.schema, name), 'WRITE']));
  for (const { schema, table, concurrently } of more)
    tables.set(qualified(schema, table), concurrently ? 'WRITE CONCURRENT' : 'WRITE');
  return `LOCK TABLES ${[...tables].map(([table, mode]) => `${table} ${mode}`).join(', ')}`;
}

async function lock(deps: CutOverDeps, more: readonly Relative[]): Promise<void> {
  try {
    await deps.work.execute(lockStatement(deps, deps.pair.names.ghost, more));
  } catch (error) {
    if (isLockTimeout(error))
      throw new Postponed(`the lock was not granted: ${messageOf(error)}`, { cause: error });
    throw error;
  }
}
