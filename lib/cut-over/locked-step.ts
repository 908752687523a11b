import type { Session } from '../database/session';
import type { BoundedLock } from '../database/metadata-locks';
import type { Deadline } from './deadline';

/** A table that is locked for writing together with the origin. */
export interface Relative {
  readonly schema: string;
  readonly table: string;
  /** So that others may go on writing to it: for a sequence (MariaDB). */
  readonly concurrently?: true;
}

/**
 * Something that has to change hands together with the table's name: foreign keys, the table's own triggers, a counter,
 * an index that only the copy needed.
 *
 * What `beforeSwap` changes must be written down first (`StateTable.note`), so that `takeBack` and `finish` can be done
 * by somebody who finds the tables after a crash: see `settle-steps.ts`.
 */
export interface LockedStep {
  readonly name: string;
  /** Why it takes a lock that is held until the swap, in words; null where every strategy will do. */
  readonly needsLock: string | null;
  /** Strategies under which it is not safe on this server, and why. Default: none. */
  readonly unsafe?: { readonly strategy: string; readonly why: string } | null;
  /** Tables beside the migration's own that must be locked with them. Asked before every attempt. */
  relatives(): Promise<readonly Relative[]>;
  /** Tables that the server locks along with them, whether it is asked to or not. Default: none. */
  alongside?(): Promise<readonly Relative[]>;
  /** Before the lock is asked for; may be repeated. @throws Refusal when it can't be done, Postponed when not now */
  prepare(): Promise<void>;
  /** Under the lock, after the last change was applied, on the work session. @throws Postponed when not now */
  beforeSwap(deadline: Deadline): Promise<void>;
  /**
   * Right after the swap, on the work session. With `rename-under-lock` the lock is still held; with `sentry` it is
   * not. An error here comes after the swap.
   */
  atSwap(): Promise<void>;
  /**
   * Undoes what `beforeSwap` did when the tables were not swapped; the lock may be held or gone. Does nothing where
   * nothing was done, and may be repeated.
   */
  takeBack(session: Session, bound: BoundedLock): Promise<void>;
  /** What is left to do after the swap, the lock gone. May be repeated. */
  finish(session: Session, bound: BoundedLock): Promise<void>;
}
