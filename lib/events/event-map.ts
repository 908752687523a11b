import type { LargeHadronError } from '../errors';
import type { MigrationResult } from '../migration/result';
import type { Phase } from '../phase';
import type { ProgressSnapshot } from '../progress/progress';

interface OfTable {
  /** `schema.table` */
  readonly table: string;
}

/** Every event, and what is told with it. Numbers of rows and changes are those since the last such event, and in all. */
export interface EventMap {
  /** Anything of the progress has changed: several times a second. */
  readonly progress: ProgressSnapshot;
  /** A phase begins. */
  readonly phase: OfTable & { readonly phase: Phase };
  /** The new table has been made and altered, and it is clear how rows get there. */
  readonly planned: OfTable & {
    /** The new table, and what the original is called after the swap, without the schema. */
    readonly ghostTable: string;
    readonly oldTable: string;
    /** The columns of the key by which rows are copied, in its order. */
    readonly key: readonly string[];
    /** What was run, with the original's name. */
    readonly statements: readonly string[];
    /** Columns of the original that the new table does not have. */
    readonly dropped: readonly string[];
  };
  /** Rows were counted (`exactRowCount`) or estimated. */
  readonly rowCount: OfTable & { readonly rows: number; readonly counted: boolean };
  /** A chunk was copied. */
  readonly chunk: OfTable & { readonly rows: number; readonly rowsCopied: number };
  /** Captured changes were applied. */
  readonly applied: OfTable & { readonly changes: number; readonly changesApplied: number };
  /** Rows were compared. */
  readonly compared: OfTable & { readonly rows: number; readonly rowsVerified: number };
  /** A round of the verification begins: the first walks over the whole table, later ones over what was written meanwhile. */
  readonly round: OfTable & { readonly round: number };
  /** Rows of the new table differ from the original. They are written anew, which happens once to each. */
  readonly different: OfTable & {
    readonly rows: number;
    /** The keys of some of them, as `id = 7`. */
    readonly keys: readonly string[];
  };
  /** Rows that had differed were written anew, and differ no longer. */
  readonly repaired: OfTable & { readonly rows: number };
  /** The migration makes way for somebody, or no longer does (null). */
  readonly throttled: OfTable & { readonly reason: string | null };
  /** Something is waited for, or no longer is (null). */
  readonly waiting: OfTable & { readonly reason: string | null };
  /** A chunk failed for a passing reason, and is copied again. */
  readonly retry: OfTable & { readonly attempt: number; readonly error: unknown };
  /** A connection was lost, or the server cannot be written to; it is tried to go on. */
  readonly disconnected: OfTable & { readonly reason: string };
  /** It goes on. */
  readonly reconnected: OfTable & {
    /** How long it took, in ms. */
    readonly afterMs: number;
  };
  /** The swap is held back, and by whom. */
  readonly postponed: OfTable & { readonly by: string };
  /** It is not held back any more. */
  readonly released: OfTable;
  /** An attempt at the swap begins. */
  readonly attempt: OfTable & { readonly attempt: number };
  /** An attempt was given up without harm; the next follows unless none is left. */
  readonly attemptPostponed: OfTable & { readonly attempt: number; readonly reason: string };
  /** The new table bears the name. */
  readonly swapped: OfTable & { readonly attempts: number; readonly stallMs: number };
  /** Somebody has said something to the control server. Passwords of URLs are left out. */
  readonly command: OfTable & { readonly command: string; readonly value: string | null };
  /** Something went wrong that does not stop the migration. */
  readonly warning: OfTable & { readonly message: string };
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
  'planned',
  'rowCount',
  'chunk',
  'applied',
  'compared',
  'round',
  'different',
  'repaired',
  'throttled',
  'waiting',
  'retry',
  'disconnected',
  'reconnected',
  'postponed',
  'released',
  'attempt',
  'attemptPostponed',
  'swapped',
  'command',
  'warning',
  'done',
  'failed',
] as const satisfies readonly EventName[];
