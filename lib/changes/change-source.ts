import type { Session } from '../database/session';
import type { RowKey } from '../schema/key-column';

/** Captured changes that may be applied and acknowledged together. */
export interface ChangeBatch {
  /** Captured entries in the batch. */
  readonly entries: number;
  /** Keys to apply: each once, all within what has been copied. */
  readonly keys: readonly RowKey[];
  /** Removes exactly these entries, inside the transaction that applied them. */
  acknowledge(session: Session): Promise<void>;
}

/** A counter on the server that is written all the time: how far a replica is behind can be read off it. */
export interface Heartbeat {
  /** SQL that reads it, as `counter`. */
  readonly sql: string;
  /** How long ago it was counted further than this, in ms; 0 when it was not. */
  lagAt(counter: number): number;
}

/** Where the copy stands: every key up to it is in the ghost. */
export interface CopiedTo {
  /** `none`: nothing is copied yet; `all`: the last chunk is done; otherwise the last key copied. */
  readonly position: 'none' | 'all' | RowKey;
}

/**
 * Captures every committed write to the origin from `start` on, so that applying it makes the ghost converge. An entry that
 * is visible stands for a change that is visible; whether a visible change has its entry yet, `gather` makes sure.
 */
export interface ChangeSource {
  /** Null where the source writes none. */
  readonly heartbeat: Heartbeat | null;
  /** Whose writes it is never told of, in words; null where it is told of all. */
  readonly blindTo: string | null;
  /** Resolves when no later write can be missed. */
  start(): Promise<void>;
  /** The oldest captured entries, read on the session that will apply them. Entries beyond the copy need no apply. */
  read(session: Session, copiedTo: CopiedTo, limit: number): Promise<ChangeBatch>;
  /**
   * Brings every change that was committed before the call among the captured entries.
   *
   * @param locked the session that holds the tables, journal included; null while none does
   * @param withinMs how long it may take; without a limit when it is left out
   * @returns whether there can have been any that were not there before
   * @throws an error that counts as a lock wait timeout when it takes longer
   */
  gather(locked: Session | null, withinMs?: number): Promise<boolean>;
  /** How many entries wait; exact up to `most`, which also bounds the cost. */
  backlog(session: Session, most: number): Promise<number>;
  /** Entries that wait, by a locking read: it sees transactions that are prepared but not committed. */
  lockingBacklog(session: Session): Promise<number>;
  /** How many entries came after the swap, which nobody may write any more. What cannot be found out is warned of. */
  lateChanges(session: Session): Promise<number>;
  /** Makes the keys be applied once more. */
  requeue(session: Session, keys: readonly RowKey[]): Promise<void>;
  /** SQL that lists the keys waiting, for a statement's own snapshot. */
  pendingKeys(): { table: string; condition: string };
  /** Throws when the application's writes cannot be captured any more, and so fail. Not to be called with tables locked. */
  probe(session: Session): Promise<void>;
  /** Throws when the capture is no longer complete: a trigger gone or changed. */
  check(session: Session): Promise<void>;
  /** How far the binary log has been read, as `file:position`, where it is. */
  coordinates?(): string | null;
  /** Lets go of what the source itself has open. Never rejects. */
  close(): Promise<void>;
}
