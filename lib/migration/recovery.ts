import type { RowCopier } from '../copy/row-copier';
import type { Steadiness } from '../cut-over/cut-over-deps';
import type { AdvisoryLock } from '../database/advisory-lock';
import type { Database } from '../database/database';
import { refuseReadOnly, type ReadOnlySwitch } from '../database/read-only';
import { isInterruption, isReadOnly, isTransient, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { LOCK_WAIT_SECONDS } from '../database/session-settings';
import { unlockTables } from '../database/unlock-tables';
import { Refusal } from '../errors';
import { debugLog } from '../events/debug-log';
import type { Tell } from '../events/tell';
import type { ProgressTracker } from '../progress/progress-tracker';
import type { Owner } from '../state/state-table';
import { backoff } from '../util/backoff';
import { clock } from '../util/clock';
import { pause } from '../util/pause';

const log = debugLog('migration');

/** Interruptions of one and the same step, one after another, before it is taken for their cause. */
const MOST_IN_A_ROW = 10;

/**
 * How long somebody else may go first, by a deadlock or a lock that is not granted, in ms: as long as 20 waits, after which
 * the copy gives up as well.
 */
const PATIENCE_MS = 20 * LOCK_WAIT_SECONDS * 1000;

export interface RecoveryDeps {
  readonly database: Database;
  /** Copies and applies; autocommit is off. */
  readonly work: Session;
  /** Holds the lock. */
  readonly observer: Session;
  readonly lock: AdvisoryLock;
  readonly copier: RowCopier;
  /** Whose the migration is, by its state table. */
  readonly owner: (session: Session) => Promise<Owner>;
  /** What the work session runs under beside the library's own settings. */
  readonly workSettings: readonly string[];
  /** Whether the copy reads variables of the work session, which a new connection does not have. */
  readonly bound: boolean;
  readonly readOnly: ReadOnlySwitch;
  /** How long locks that others hold are waited for, in ms. */
  readonly giveUpAfterMs: number;
  /** How long a server that does not answer is waited for, in ms. */
  readonly reconnectMs: number;
  readonly progress: ProgressTracker;
  readonly tell: Tell;
  /** By what it is stopped at this moment. */
  readonly stoppedBy: () => AbortSignal;
}

/**
 * Carries a migration over lost connections, killed statements and restarts of the server.
 *
 * While rows are copied everything that counts is on the server: triggers and journal go on without us, a chunk and its
 * checkpoint are in one transaction, and applying a change twice is the same as once. So a step that broke off may be
 * repeated, once the connection it ran on has surely ended and the migration is surely still ours.
 */
export class Recovery implements Steadiness {
  constructor(private readonly deps: RecoveryDeps) {}

  async steadily<T>(step: () => Promise<T>): Promise<T> {
    const until = clock.monotonic() + Math.min(PATIENCE_MS, this.deps.giveUpAfterMs);
    let interruptions = 0;
    let overtaken = 0;
    for (;;) {
      try {
        return await step();
      } catch (error) {
        if (isTransient(error)) {
          if (clock.monotonic() >= until) throw error;
          await this.letPass(error, ++overtaken);
        } else {
          if (!this.canRecover(error) || ++interruptions >= MOST_IN_A_ROW) throw error;
          await this.recover(error);
        }
      }
    }
  }

  /**
   * DDL on any table that a foreign key leads to locks the tables at both its ends, and of two that wait for each other the
   * server refuses the one that only reads.
   */
  private async letPass(error: unknown, times: number): Promise<void> {
    const { progress, stoppedBy, work } = this.deps;
    log('somebody else goes first, %d times: %s', times, messageOf(error));
    // After a lock wait timeout the transaction is still open, and would hold the others up while we let them pass.
    if (!work.lost) await work.execute('ROLLBACK').catch(() => undefined);
    progress.update({ waitingFor: `others who hold the tables or their rows (${messageOf(error)})` });
    await pause(backoff(times, 20, 1000), stoppedBy());
    progress.update({ waitingFor: null });
  }

  canRecover(error: unknown): boolean {
    return (isInterruption(error) || isReadOnly(error)) && this.deps.reconnectMs > 0;
  }

  /**
   * Makes both sessions usable again, with nothing of what they were doing left.
   *
   * @throws Refusal LHM_OWNERSHIP_LOST when another run took over; `cause` when the server stays away for too long
   */
  async recover(cause: unknown): Promise<void> {
    const { progress, stoppedBy, reconnectMs, tell } = this.deps;
    log('interrupted: %s', messageOf(cause));
    tell('disconnected', { reason: messageOf(cause) });
    const began = clock.monotonic();
    const until = began + reconnectMs;
    const writable = isReadOnly(cause);
    progress.update({
      waitingFor: writable
        ? 'the server, which is read-only, to be written to again'
        : 'the connection to the server, which was lost',
    });
    for (let attempt = 1; ; attempt++) {
      stoppedBy().throwIfAborted();
      try {
        await this.reconnect();
        progress.update({ waitingFor: null });
        tell('reconnected', { afterMs: Math.round(clock.monotonic() - began) });
        return;
      } catch (error) {
        if (error instanceof Refusal) throw error;
        log('attempt %d to reconnect: %s', attempt, messageOf(error));
        if (clock.monotonic() >= until) throw cause;
        await pause(backoff(attempt, 100, 2000), stoppedBy());
      }
    }
  }

  /** Only while rows are copied can it go on from further back: what came later has counted on all of them. */
  private async resume(): Promise<void> {
    const { copier, observer } = this.deps;
    const wasDone = copier.done;
    await copier.resume(observer);
    if (copier.done || !wasDone) return;
    throw new Refusal(
      'LHM_CONNECTION_LOST',
      'The server came back without rows that it had said were committed (innodb_flush_log_at_trx_commit is not 1, or it was restored from a backup).',
      'Run again.',
    );
  }

  private async reconnect(): Promise<void> {
    const { database, observer, work, lock, owner, workSettings, progress } = this.deps;
    // First of all: tables that are still locked, because what would have unlocked them was killed, hold up everybody.
    if (!work.lost) {
      await work.execute('ROLLBACK');
      await unlockTables(work);
    }
    if (observer.lost) await database.reopen(observer);
    await database.endLost(observer);
    await lock.retake();
    const whose = await owner(observer);
    // The last thing that the clean-up removes is the state table.
    if (whose === 'others' || (whose === 'gone' && progress.phase !== 'clean-up')) {
      throw new Refusal(
        'LHM_OWNERSHIP_LOST',
        'Another run took this migration over while its connection was lost.',
        'Let that one finish; this one has stopped.',
      );
    }
    if (work.lost && this.deps.bound && progress.phase !== 'clean-up') {
      throw new Refusal(
        'LHM_CONNECTION_LOST',
        'The connection that copies was lost, and with it the variables (@…) that values are made of.',
        'Run again, or write what they stand for into the expressions.',
      );
    }
    if (work.lost) await database.reopen(work);
    // Also where it is still there: the last time it may have been a setting that was killed.
    for (const setting of workSettings) await work.execute(setting);
    await refuseReadOnly(observer, this.deps.readOnly);
    if (whose === 'ours') await this.resume();
  }
}
