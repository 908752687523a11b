import type { RowCopier } from '../copy/row-copier';
import { SMALL_BACKLOG, type Replayer } from '../changes/replayer';
import type { ChangeSource } from '../changes/change-source';
import type { CutOver, CutOverResult } from '../cut-over/cut-over';
import type { Database } from '../database/database';
import type { AdvisoryLock } from '../database/advisory-lock';
import type { Session } from '../database/session';
import type { Tell } from '../events/tell';
import type { Hooks } from './hooks';
import type { Recovery } from './recovery';
import type { CutOverGate } from './cut-over-gate';
import { hold, restAfterChunk, restAfterStep } from './hold';
import { Refusal } from '../errors';
import type { OriginGuard } from '../guard/origin-guard';
import type { LiveSettings } from '../options/live-settings';
import type { ResolvedOptions } from '../options/options';
import type { ProgressTracker } from '../progress/progress-tracker';
import { pause } from '../util/pause';
import type { Throttler } from '../throttle/throttler';
import type { Verifier } from '../verify/verifier';
import { clock } from '../util/clock';

/** The parts of a migration whose ghost is ready; made by `assemble`. */
export interface Parts {
  readonly database: Database;
  readonly work: Session;
  readonly observer: Session;
  readonly lock: AdvisoryLock;
  readonly source: ChangeSource;
  readonly guard: OriginGuard;
  readonly copier: RowCopier;
  readonly replayer: Replayer;
  readonly verifier: Verifier | null;
  readonly cutOver: CutOver;
  readonly recovery: Recovery;
  readonly throttler: Throttler;
  readonly hooks: Hooks;
  readonly tell: Tell;
  readonly settings: LiveSettings;
  readonly gate: CutOverGate;
  readonly progress: ProgressTracker;
  readonly options: ResolvedOptions;
  readonly signal: AbortSignal;
}

/** Longest time that changes are applied for before the copy gets its turn, in ms. */
const REPLAY_TURN_MS = 4000;

/** Rounds in which the backlog is given the chance to become small before the cut-over is tried anyway. */
const CATCH_UP_ROUNDS = 100;

/** How often it is looked whether the settings still say that it rests, in ms. */
const HEAR_MS = 500;

/** How often the backlog is counted and the table is looked at, in ms. */
const LOOK_EVERY_MS = 1000;

/** How often it is looked whether new connections still lead to the same server, in ms. */
const MEET_EVERY_MS = 10_000;

/** Copies every row, while changes are applied all the time. */
export async function copyRows(parts: Parts): Promise<void> {
  const { work, copier, replayer, recovery, progress, signal, throttler } = parts;
  progress.enter('copy');
  const held = isHeld(parts);
  const look = lookNowAndThen(parts);
  while (!copier.done) {
    signal.throwIfAborted();
    await hold(parts);
    let tookMs = 0;
    await recovery.steadily(async () => {
      await look();
      // Changes come first, or the backlog grows for as long as the copy runs; but they must not starve it.
      await replayer.replayFor(work, REPLAY_TURN_MS, signal, held);
      const started = clock.monotonic();
      if (!copier.done && !held()) await copier.copyNext(work);
      tookMs = clock.monotonic() - started;
    });
    progress.update({ rowsCopied: copier.rows, changesApplied: replayer.applied });
    throttler.chunkTook(tookMs);
    await rest(parts, () => restAfterChunk(parts, tookMs));
  }
  progress.update({ rowsEstimated: copier.rows });
}

/** Rests, for as long as the settings say by now: one that was mistaken must not have its way for long. */
async function rest(parts: Parts, ms: () => number): Promise<void> {
  const began = clock.monotonic();
  for (let left = ms(); left > 0; left = began + ms() - clock.monotonic())
    await keepUp(parts, Math.min(left, HEAR_MS));
}

/** Applies changes until few are left. */
export async function catchUp(parts: Parts): Promise<void> {
  const { work, observer, replayer, recovery, source, progress, signal } = parts;
  progress.enter('catch-up');
  for (let round = 0; round < CATCH_UP_ROUNDS; round++) {
    await hold(parts);
    const backlog = await recovery.steadily(async () => {
      await replayer.replayFor(work, REPLAY_TURN_MS, signal, isHeld(parts));
      return source.backlog(observer, 10_000);
    });
    progress.update({ changesApplied: replayer.applied, backlog });
    if (backlog <= SMALL_BACKLOG) return;
  }
}

/** Compares every row, while changes go on being applied. */
export async function verifyRows(parts: Parts): Promise<void> {
  const { work, verifier, replayer, recovery, progress, signal } = parts;
  if (verifier === null) return;
  progress.enter('verify');
  const held = isHeld(parts);
  const look = lookNowAndThen(parts);
  while (!verifier.walkDone) {
    signal.throwIfAborted();
    await hold(parts);
    let tookMs = 0;
    await recovery.steadily(async () => {
      await look();
      await replayer.replayFor(work, REPLAY_TURN_MS, signal, held);
      const started = clock.monotonic();
      if (!held()) await verifier.walkNext(work);
      tookMs = clock.monotonic() - started;
    });
    progress.update({ rowsVerified: verifier.counts.rows, changesApplied: replayer.applied });
    await rest(parts, () => restAfterStep(parts, tookMs));
  }
  await recheckWritten(parts, verifier);
}

/** Compares again what was written to meanwhile, until what is left is little enough for the lock. */
async function recheckWritten(parts: Parts, verifier: Verifier): Promise<void> {
  const { work, replayer, recovery, options, signal } = parts;
  const few = options.verify === false ? 0 : options.verify.underLock / 4;
  for (let round = 0; round < CATCH_UP_ROUNDS; round++) {
    verifier.nextRound();
    await hold(parts);
    await recovery.steadily(() => replayer.replayFor(work, REPLAY_TURN_MS, signal, isHeld(parts)));
    let entries = 0;
    for (;;) {
      signal.throwIfAborted();
      await hold(parts);
      const now = await recovery.steadily(() => verifier.recheckNext(work));
      entries += now;
      if (now === 0) break;
    }
    if (entries <= few) return;
  }
}

/** Swaps the tables. */
export async function swap(parts: Parts): Promise<CutOverResult> {
  const { progress, cutOver, guard, lock, observer, recovery } = parts;
  progress.enter('cut-over');
  await recovery.steadily(async () => {
    await lock.check();
    await guard.check(observer);
  });
  return cutOver.run();
}

/** Applies and compares changes for some time, unless it holds; what the migration does while it waits for something. */
export async function keepUp(parts: Parts, ms: number, restMs = 20): Promise<void> {
  const { work, replayer, verifier, lock, guard, observer, recovery, signal, progress, throttler } = parts;
  const held = isHeld(parts);
  const until = clock.monotonic() + ms;
  await recovery.steadily(async () => {
    await lock.check();
    await guard.check(observer);
    await countBacklog(parts);
  });
  do {
    await recovery.steadily(async () => {
      await replayer.replayFor(work, ms, signal, held);
      if (verifier?.walkDone)
        while (!held() && (await verifier.recheckNext(work)) > 0) {
          signal.throwIfAborted();
          // Writers may be faster, and somebody may wait for the end of this.
          if (clock.monotonic() >= until) break;
        }
    });
    progress.update({ changesApplied: replayer.applied, throttled: throttler.reason() });
    await pause(Math.min(restMs, Math.max(1, until - clock.monotonic())), signal);
  } while (clock.monotonic() < until);
}

function isHeld({ throttler }: Parts): () => boolean {
  return () => throttler.reason() !== null;
}

/** Checks ownership and the table's definition before each step, and counts the backlog once in a while. */
function lookNowAndThen(parts: Parts): () => Promise<void> {
  const { database, lock, guard, observer } = parts;
  let met = clock.monotonic();
  return async () => {
    await lock.check();
    await guard.check(observer);
    if (clock.monotonic() - met >= MEET_EVERY_MS) {
      met = clock.monotonic();
      await database.meetAgain().catch((error: unknown) => {
        // One that cannot be made now says nothing about where it leads; before the swap it has to be made.
        if (error instanceof Refusal) throw error;
      });
    }
    await countBacklog(parts);
  };
}

/** Unless it was counted just now. */
async function countBacklog({ source, observer, progress }: Parts): Promise<void> {
  if (progress.backlogAgeMs >= LOOK_EVERY_MS)
    progress.update({ backlog: await source.backlog(observer, 10_000) });
}
