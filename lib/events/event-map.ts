import type { LargeHadronError } from '../errors';
import type { MigrationResult } from '../migration/result';
import type { Phase } from '../phase';
import type { ProgressSnapshot } from '../progress/progress';

interface OfTable {
  /** `schema.table` */
  readonly table: string;
}

/** Every event, and what is told with it. */
export interface EventMap {
  /** Anything of the progress has changed: several times a second. */
  readonly progress: ProgressSnapshot;
  /** A phase begins. */
  readonly phase: OfTable & { readonly phase: Phase };
  /** Rows were counted (`exactRowCount`) or estimated. */
  readonly rowCount: OfTable & { readonly rows: number; readonly counted: boolean };
  /** A chunk was copied. */
  readonly chunk: OfTable & { readonly rows: number; readonly rowsCopied: number };
  /** Captured changes were applied. */
  readonly applied: OfTable & { readonly changes: number; readonly changesApplied: number };
  /** Rows were compared. */
  readonly compared: OfTable & { readonly rows: number; readonly rowsVerified: number };
  /** The migration makes way for somebody, or no longer does (null). */
  readonly throttled: OfTable & { readonly reason: string | null };
  /** Something is waited for, or no longer is (null). */
  readonly waiting: OfTable & { readonly reason: string | null };
  /** A chunk failed for a passing reason, and is copied again. */
  readonly retry: OfTable & { readonly attempt: number; readonly error: unknown };
  /** The swap is held back. */
  readonly postponed: OfTable;
  /** An attempt at the swap begins. */
  readonly attempt: OfTable & { readonly attempt: number };
  /** An attempt was given up without harm; the next follows. */
  readonly attemptPostponed: OfTable & { readonly attempt: number; readonly reason: string };
  /** The new table bears the name. */
  readonly swapped: OfTable & { readonly attempts: number; readonly stallMs: number };
  /** Somebody has said something to the control server. */
  readonly command: OfTable & { readonly command: string; readonly value: string | null };
  /** The call resolves. */
  readonly done: OfTable & { readonly result: MigrationResult };
  /** The call rejects. */
  readonly failed: OfTable & { readonly error: LargeHadronError };
}

export type EventName = keyof EventMap;

/** All of them; the documentation is made from this. */
export const EVENT_NAMES = [
  'progress',
  'phase',
  'rowCount',
  'chunk',
  'applied',
  'compared',
  'throttled',
  'waiting',
  'retry',
  'postponed',
  'attempt',
  'attemptPostponed',
  'swapped',
  'command',
  'done',
  'failed',
] as const satisfies readonly EventName[];
