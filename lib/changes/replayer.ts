import { isTooLarge, isTransient, errorNumber, DUPLICATE_ENTRY } from '../database/server-error';
import type { Session } from '../database/session';
import { transaction } from '../database/transaction';
import { debugLog } from '../events/debug-log';
import type { RowKey } from '../schema/key-column';
import type { StateTable } from '../state/state-table';
import type { ChangeApplier } from './change-applier';
import type { ChangeSource, CopiedTo } from './change-source';
import { clock } from '../util/clock';

const log = debugLog('changes');

/** Entries applied in one transaction. */
export const BATCH_ENTRIES = 1000;

/** Entries that the last drain, under the lock, can be expected to manage. */
export const SMALL_BACKLOG = BATCH_ENTRIES / 2;

const ATTEMPTS = 20;

export interface Replayed {
  /** Entries taken off the journal. */
  readonly entries: number;
  /** Keys applied to the ghost. */
  readonly keys: number;
}

/** Told of every key that was applied, inside the transaction that did it. */
export type AppliedListener = (session: Session, keys: readonly RowKey[]) => Promise<void>;

/** Takes captured changes off their source and applies them, one transaction a batch. */
export class Replayer {
  private listener: AppliedListener | null = null;
  private total = 0;
  /** What was not too large for the server, after something was. */
  private ceiling = Infinity;

  constructor(
    private readonly source: ChangeSource,
    private readonly applier: ChangeApplier,
    private readonly state: StateTable,
    private readonly copiedTo: () => CopiedTo,
    /** Entries in one transaction: fewer where keys are so long that a statement would not fit into a packet. */
    private readonly most: () => number,
  ) {}

  /** Changes applied so far. */
  get applied(): number {
    return this.total;
  }

  /** Entries in the next batch. */
  private get batch(): number {
    return Math.min(this.most(), this.ceiling);
  }

  onApplied(listener: AppliedListener): void {
    this.listener = listener;
  }

  /** Applies the oldest entries; `entries` is 0 when there were none. */
  async replayBatch(session: Session, limit = Infinity): Promise<Replayed> {
    let size = Math.min(limit, this.batch);
    for (let attempt = 1; ; attempt++) {
      try {
        const replayed = await this.replayOnce(session, size);
        this.total += replayed.keys;
        if (replayed.entries === size) this.ceiling *= 2;
        return replayed;
      } catch (error) {
        const tooLarge = isTooLarge(error);
        const again = tooLarge || isTransient(error) || errorNumber(error) === DUPLICATE_ENTRY;
        if (session.lost || attempt >= ATTEMPTS || !again || (tooLarge && size === 1)) throw error;
        log('batch failed, attempt %d: %o', attempt, error);
        size = Math.max(1, Math.floor(size / 2));
        if (tooLarge) this.ceiling = size;
      }
    }
  }

  private replayOnce(session: Session, limit: number): Promise<Replayed> {
    return transaction(session, async () => {
      await this.state.check(session);
      const batch = await this.source.read(session, this.copiedTo(), limit);
      if (batch.entries === 0) return { entries: 0, keys: 0 };
      await this.applier.apply(session, batch.keys);
      if (batch.keys.length > 0) await this.listener?.(session, batch.keys);
      await batch.acknowledge(session);
      return { entries: batch.entries, keys: batch.keys.length };
    });
  }

  /**
   * Applies until a batch was not full, which is as near to empty as it can be known while writers go on, or until
   * `budgetMs` is over: writers may be faster, and the caller has other work to do. Not while `held` says so.
   */
  async replayFor(
    session: Session,
    budgetMs: number,
    signal: AbortSignal,
    held: () => boolean = () => false,
  ): Promise<void> {
    const started = clock.monotonic();
    for (;;) {
      signal.throwIfAborted();
      if (held()) return;
      const size = this.batch;
      const { entries } = await this.replayBatch(session);
      // It may have been made smaller, and be full all the same.
      if (entries < Math.min(size, this.batch) || clock.monotonic() - started >= budgetMs) return;
    }
  }
}
