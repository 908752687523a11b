import { Refusal } from '../errors';
import { debugLog } from '../events/debug-log';
import { tellerOf } from '../events/tell';
import { liveLock } from '../database/metadata-locks';
import { tableHolders, type TableHolder } from '../database/table-holders';
import { isTooMany, messageOf } from '../database/server-error';
import type { ProgressTracker } from '../progress/progress-tracker';
import { backoff } from '../util/backoff';
import { pause } from '../util/pause';
import type { Session } from '../database/session';
import { ConnectionDoesNotEnd } from '../database/ended-connection';
import { unlockTables } from '../database/unlock-tables';
import type { CutOverDeps, MakingWay, StrategyName, SwapStrategy, SwapTimes } from './cut-over-deps';
import type { Relative } from './locked-step';
import { lockedAttempt, takeBackSteps } from './locked-attempt';
import { InstantRefused, chosenAnswer, openViews, type OldReadViews } from './old-read-views';
import { END_OLD_VIEWS, Interrupted, Postponed } from './postponed';
import { mayTakeBackRenames } from './refuse-steps';
import { RenameThenReplay } from './rename-then-replay';
import { RenameUnderLock } from './rename-under-lock';
import { SentryLockRename } from './sentry-lock-rename';
import { catchUp } from './catch-up';
import { BlockedTime } from './blocked-time';
import { BlockerKiller, type Killed } from './blocker-killer';
import { giveNameBack, settleSwap } from './settle-swap';
import { TwoStep } from './two-step';
import { clock } from '../util/clock';

const log = debugLog('cut-over');

/** How long an instant without open read views is waited for before each attempt, in ms. */
const QUIET_WITHIN_MS = 1000;

/** How long a connection that was killed may take to let go of the table before the attempt is put off, in ms. */
const KILLED_WITHIN_MS = 2000;

export interface CutOverResult {
  readonly strategy: StrategyName;
  /** How long the application's writes can have been held up by the attempt that succeeded, in ms. */
  readonly stallMs: number;
  readonly attempts: number;
  /** How older REPEATABLE READ views were answered, and how many of them were left at the swap. */
  readonly oldReadViews: { readonly answer: OldReadViews; readonly remaining: number };
  /** Connections that were ended because they held the table (`killBlockers`). */
  readonly killed: readonly Killed[];
}

/** Swaps the tables, in as many bounded attempts as it takes; between two the copy is kept up to date. */
export class CutOver {
  private answer: OldReadViews;
  private readonly killer: BlockerKiller | null;

  constructor(
    private readonly deps: CutOverDeps,
    private readonly progress: ProgressTracker,
    private readonly keepUp: (ms: number) => Promise<void>,
    private readonly way: MakingWay,
  ) {
    this.killer = deps.options.cutOver.killBlockers ? new BlockerKiller(deps) : null;
    this.answer = chosenAnswer(deps.options.cutOver.oldReadViews, deps.database.server, deps.pair.ghost);
  }

  /**
   * @throws Refusal LHM_CUT_OVER_BLOCKED when no attempt is left
   */
  async run(): Promise<CutOverResult> {
    const { options, signal, steadiness, guard, observer, pair } = this.deps;
    const { attempts, backoffMs, backoffMaxMs } = options.cutOver;
    const tell = tellerOf(options.events, `${pair.schema}.${pair.origin.table}`);
    let giveUpAt = clock.monotonic() + options.giveUpAfterMs;
    let made = 0;
    const blocked = new BlockedTime();
    const strategy = this.strategy();
    let last = new Postponed('');
    try {
      for (let attempt = 1; attempt <= attempts; attempt++) {
        let waitMs: number;
        let started = Infinity;
        try {
          const heldSince = clock.monotonic();
          await this.way.untilClear();
          giveUpAt += clock.monotonic() - heldSince;
          await steadiness.steadily(() => catchUp(this.deps, () => this.way.untilClear(), this.keepUp));
          await steadiness.steadily(() => this.waitForBlockers());
          await steadiness.steadily(() => this.meetAgain());
          await steadiness.steadily(() => this.seeIdentity());
          started = clock.monotonic();
          tell('attempt', { attempt });
          const times = await this.way.notMeanwhile(() => this.attempt(strategy));
          tell('swapped', { attempts: attempt, stallMs: Math.round(times.stallMs) });
          return {
            strategy: strategy.name,
            stallMs: Math.round(times.stallMs),
            attempts: attempt,
            oldReadViews: { answer: this.answer, remaining: times.oldReadViews },
            killed: this.killer?.killed ?? [],
          };
        } catch (error) {
          if (!(error instanceof Postponed)) throw error;
          if (mayTakeBackRenames(strategy.name)) await steadiness.steadily(() => guard.acceptAlter(observer));
          if (error instanceof InstantRefused && options.cutOver.oldReadViews === undefined)
            this.answer = 'wait';
          last = error;
          const interrupted = error instanceof Interrupted;
          const tookMs = clock.monotonic() - started;
          if (!interrupted && tookMs > 0) blocked.add(started, tookMs);
          // Nobody was in the way while the server was not there.
          if (interrupted) giveUpAt += tookMs;
          const leftMs = giveUpAt - clock.monotonic();
          made = attempt;
          tell('attemptPostponed', { attempt, reason: error.reason });
          if (leftMs <= 0 || attempt === attempts) break;
          // Whatever the reason, the application is blocked for at most a tenth of the time; but the last attempt is made
          // when there is no time left.
          waitMs = Math.max(
            error.pauseMs ?? backoff(attempt, backoffMs, backoffMaxMs),
            backoffMs,
            blocked.pauseMs(),
          );
          waitMs = Math.min(waitMs, leftMs);
        }
        log('attempt %d postponed: %s', attempt, last.reason);
        this.progress.update({ waitingFor: last.reason });
        const wait = pause(waitMs, signal);
        await this.keepUpUntil(wait);
        this.progress.update({ waitingFor: null });
      }
    } finally {
      await steadiness.steadily(() => strategy.dispose());
    }
    throw new Refusal(
      'LHM_CUT_OVER_BLOCKED',
      `The tables could not be swapped in ${made} attempts; the last was given up: ${last.reason}.`,
      `${last.wayOut}, or raise cutOver.attempts or giveUpAfterMs to have it tried for longer, and run again.`,
      { cause: last.cause },
    );
  }

  private strategy(): SwapStrategy | RenameThenReplay {
    const { database, options } = this.deps;
    const wanted = options.cutOver.strategy;
    if (wanted === 'sentry' || (wanted === 'auto' && !database.server.renameUnderLock)) {
      return new SentryLockRename(this.deps);
    }
    if (wanted === 'two-step') return new TwoStep(this.deps);
    if (wanted === 'rename-then-replay') return new RenameThenReplay(this.deps);
    return new RenameUnderLock(this.deps);
  }

  /** One attempt; after an error that may have come after the RENAME, the tables themselves are asked. */
  private async attempt(strategy: SwapStrategy | RenameThenReplay): Promise<SwapTimes> {
    const started = clock.monotonic();
    try {
      if (strategy instanceof RenameThenReplay) return await strategy.attempt(this.answer);
      return await lockedAttempt(this.deps, strategy, this.answer);
    } catch (error) {
      if (error instanceof Postponed) throw error;
      log('attempt failed: %s; looking at the tables', messageOf(error));
      if ((await this.lookAfter(error)) !== 'swapped') throw error;
      return { stallMs: clock.monotonic() - started, oldReadViews: 0 };
    }
  }

  /** @throws Postponed when a connection was lost or a statement killed, and the tables are as they were */
  private async lookAfter(error: unknown): ReturnType<typeof settleSwap> {
    const { database, work, observer, pair, steadiness, options, view } = this.deps;
    const bound = liveLock(options.giveUpAfterMs);
    // Without the table the application stands still, so it is not left like that until all connections are back.
    if (!observer.lost) await giveNameBack(observer, pair, bound).catch(() => undefined);
    const look = async (session: Session) => {
      try {
        await database.endLost(session);
      } catch (reason) {
        // Its RENAME may still be to come.
        if (reason instanceof ConnectionDoesNotEnd) return 'unknown';
        throw reason;
      }
      return settleSwap(session, pair, bound);
    };
    if (steadiness.canRecover(error)) {
      await steadiness.recover(error);
      const state = await steadiness.steadily(() => look(observer));
      if (state !== 'not-swapped') return state;
      view.reset();
      await steadiness.steadily(() => takeBackSteps(this.deps));
      // The locks went with the connection, so what it took to come back has blocked nobody.
      throw new Interrupted(messageOf(error), { cause: error, pauseMs: 0 });
    }
    // Whatever was answered to it the first time: with the table locked nothing could be seen, and nobody could go on.
    await unlockTables(work).catch(() => undefined);
    const looker = await database.open('looker');
    try {
      return await look(looker);
    } finally {
      await looker.close();
    }
  }

  /** What the swap leaves to be done. May be repeated. */
  async finish(): Promise<void> {
    const { steps, observer, options } = this.deps;
    for (const step of steps) await step.finish(observer, liveLock(options.giveUpAfterMs));
  }

  /** A failover may lead the application to another server while our sessions stay on this one. */
  private async meetAgain(): Promise<void> {
    try {
      await this.deps.database.meetAgain();
    } catch (error) {
      if (!isTooMany(error)) throw error;
      throw new Postponed(messageOf(error), { cause: error, wayOut: 'Let one more connection in' });
    }
  }

  /** Under the lock it must be seen, and is not waited for while writers are held up. */
  private async seeIdentity(): Promise<void> {
    const { guard, observer } = this.deps;
    if (await guard.lookIdentity(observer)) return;
    throw new Postponed('DDL of somebody waits for a table, and InnoDB lists none meanwhile', {
      wayOut: 'End what it waits for, or the DDL (see SHOW PROCESSLIST)',
    });
  }

  /** Applies changes until the pause is over. */
  private async keepUpUntil(wait: Promise<void>): Promise<void> {
    const waiting = { over: false };
    const done = wait.finally(() => (waiting.over = true));
    done.catch(() => undefined);
    const isOver = (): boolean => waiting.over;
    do {
      await this.keepUp(200);
      await Promise.race([done, clock.sleep(20)]);
    } while (!isOver());
    await done;
  }

  /**
   * A request for the lock that has to wait stalls every new query on the table, so a transaction that has been open
   * for long is waited for without one.
   *
   * @throws Postponed while one is in the way
   */
  private async waitForBlockers(): Promise<void> {
    if (this.killer !== null) await this.killBlockers(this.killer);
    const { pair, steps } = this.deps;
    const tables: Relative[] = [{ schema: pair.schema, table: pair.origin.table }];
    for (const step of steps) tables.push(...((await step.alongside?.()) ?? []));
    for (const [i, table] of tables.entries()) {
      const holder = await this.longHolder(table);
      if (holder === undefined) continue;
      const what = i === 0 ? 'the table' : `'${table.table}', which is locked with the table,`;
      throw new Postponed(
        `connection ${holder.connection} has held ${what} for ${Math.round(holder.ageMs / 1000)} s`,
        { wayOut: `Let it end its transaction, or end it (KILL ${holder.connection})` },
      );
    }
    if (this.answer === 'wait') await this.waitForQuiet();
  }

  private async longHolder({ schema, table }: Relative): Promise<TableHolder | undefined> {
    const { observer, work, options } = this.deps;
    const holders = (await tableHolders(observer, schema, table, [observer.id, work.id])) ?? [];
    return holders.find(({ ageMs }) => ageMs > options.cutOver.lockTimeoutMs);
  }

  /** Watches those that hold the table until each has ended, was killed, or is one that is not killed. */
  private async killBlockers(killer: BlockerKiller): Promise<void> {
    const { pair, options } = this.deps;
    const until = clock.monotonic() + 2 * options.cutOver.lockTimeoutMs + KILLED_WITHIN_MS;
    for (;;) {
      const before = killer.killed.length;
      const left = await killer.run();
      const holder = await this.longHolder({ schema: pair.schema, table: pair.origin.table });
      const watched = left.some((one) => one.connection === holder?.connection && one.spared === null);
      if ((!watched && killer.killed.length === before) || clock.monotonic() >= until) return;
      await this.keepUp(100);
    }
  }

  /**
   * Waits a moment for an instant without any open read view, so that the lock is asked for when the chance is best
   * that none is left to wait for; changes are applied all the while.
   */
  private async waitForQuiet(): Promise<void> {
    const { options, signal } = this.deps;
    const until = clock.monotonic() + QUIET_WITHIN_MS;
    for (;;) {
      signal.throwIfAborted();
      const views = await openViews(this.deps, until - clock.monotonic());
      if (views.length === 0) return;
      if (clock.monotonic() >= until) {
        const old = views.find(({ ageSeconds }) => ageSeconds * 1000 > options.cutOver.lockTimeoutMs);
        if (old === undefined) return;
        throw new Postponed(`connection ${old.connection} has had a read view open for ${old.ageSeconds} s`, {
          pauseMs: Math.min(options.cutOver.backoffMaxMs, old.ageSeconds * 250),
          wayOut: END_OLD_VIEWS,
        });
      }
      await this.keepUp(5);
    }
  }
}
