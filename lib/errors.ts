import type { Phase } from './phase';

/** Every code there is. docs/errors.md says of each when it comes and what to do. */
export const ERROR_CODES = [
  'LHM_AFTER_CREATE_FAILED',
  'LHM_ALREADY_RUNNING',
  'LHM_ALTER_CHANGES_NOTHING',
  'LHM_ALTER_FAILED',
  'LHM_ALTER_NOT_UNDERSTOOD',
  'LHM_ALTER_OTHER_TABLE',
  'LHM_ALTER_RENAMES_TABLE',
  'LHM_ALTER_UNSUPPORTED',
  'LHM_BAD_ALTER',
  'LHM_BAD_DEFINER',
  'LHM_BAD_OPTION',
  'LHM_BAD_OPTIONS',
  'LHM_BAD_RENAME',
  'LHM_BAD_TABLE_NAME',
  'LHM_BAD_VALUES',
  'LHM_BINLOG_FORMAT',
  'LHM_BINLOG_OFF',
  'LHM_BINLOG_ORDER',
  'LHM_BINLOG_PURGED',
  'LHM_BINLOG_ROW_IMAGE',
  'LHM_BINLOG_UNREADABLE',
  'LHM_BINLOG_XA',
  'LHM_CANNOT_CONNECT',
  'LHM_CHECK_NAME_TOO_LONG',
  'LHM_CLUSTER',
  'LHM_CONNECTION_LOST',
  'LHM_CONTROL',
  'LHM_CONVERSION_UNSUPPORTED',
  'LHM_CRITICAL_LOAD',
  'LHM_CUT_OVER_BLOCKED',
  'LHM_DATA_WOULD_BE_LOST',
  'LHM_DISK_FULL',
  'LHM_DUPLICATE_ROWS',
  'LHM_FAILED',
  'LHM_FAKE_TIMERS',
  'LHM_FOREIGN_KEYS',
  'LHM_FOREIGN_KEY_ORPHANS',
  'LHM_GHOST_CHANGED',
  'LHM_HALF_SWAPPED',
  'LHM_HOOK_FAILED',
  'LHM_INTERRUPTED',
  'LHM_IN_TRANSACTION',
  'LHM_LATE_CHANGES',
  'LHM_LIMIT_TOO_SMALL',
  'LHM_LOCK_TIMEOUT',
  'LHM_MISSING_PRIVILEGE',
  'LHM_NAME_ORDER',
  'LHM_NAME_TAKEN',
  'LHM_NOT_A_TABLE',
  'LHM_NOT_LOGGED',
  'LHM_NOT_ONE_SERVER',
  'LHM_NO_SUCH_TABLE',
  'LHM_NO_USABLE_KEY',
  'LHM_ORIGIN_CHANGED',
  'LHM_OWNERSHIP_LOST',
  'LHM_PANIC',
  'LHM_PREFLIGHT',
  'LHM_READ_ONLY',
  'LHM_REPLICATED_WRITES',
  'LHM_REPLICA_UNFIT',
  'LHM_TABLE_HAS_TRIGGERS',
  'LHM_TIME_ZONE',
  'LHM_TRIGGERS_CHANGED',
  'LHM_TRIGGERS_UNREADABLE',
  'LHM_TRIGGER_COLUMN',
  'LHM_TRIGGER_NOT_CARRIED',
  'LHM_UNKNOWN_OPTION',
  'LHM_UNSUPPORTED_CLIENT',
  'LHM_UNSUPPORTED_ENGINE',
  'LHM_UNSUPPORTED_INDEX',
  'LHM_UNSUPPORTED_OPTION',
  'LHM_UNSUPPORTED_SERVER',
  'LHM_VERIFY_FAILED',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * What became of the table, for a deploy that must decide what to do next.
 *
 * - `untouched`: nothing was created; run again once the cause is gone.
 * - `rolled-back`: the migration had begun and was taken back; the table is as it was. Run again.
 * - `resumable`: the table is as it was; what was built so far is kept and the next run uses or replaces it.
 * - `swapped`: the table has its new definition; only the tidying up failed. Treat the change as done.
 * - `unknown`: the server could not be asked. Look at the table before doing anything.
 */
export type Outcome = 'untouched' | 'rolled-back' | 'resumable' | 'swapped' | 'unknown';

/** One object that is still on the server after a failure. */
export interface Leftover {
  readonly kind: 'table' | 'trigger';
  /** `schema.name` */
  readonly name: string;
  /** The statement that removes it. */
  readonly sql: string;
}

/** One of several causes of the same refusal; `hint` is the way out of this one. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

export interface LargeHadronErrorFields {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly phase?: Phase | undefined;
  readonly table?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly leftovers?: readonly Leftover[] | undefined;
  readonly problems?: readonly Problem[] | undefined;
  readonly cause?: unknown;
}

/** The same in every copy of the library. */
const BRAND = Symbol.for('large-hadron-migrate.error');

/**
 * The only error the library rejects with.
 *
 * `code` is stable (`LHM_…`), `outcome` says what became of the table, `leftovers` names every object that is
 * still on the server, `hint` says what to do next, `problems` lists every cause where there are several.
 *
 * `instanceof` holds across copies of the library: a test runner that resets its modules loads it again.
 */
export class LargeHadronError extends Error {
  override readonly name: string = 'LargeHadronError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly phase: Phase;
  readonly table: string;
  readonly outcome: Outcome;
  readonly leftovers: readonly Leftover[];
  readonly problems: readonly Problem[];

  constructor(fields: LargeHadronErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.hint = fields.hint;
    this.phase = fields.phase ?? 'plan';
    this.table = fields.table ?? '';
    this.outcome = fields.outcome ?? 'untouched';
    this.leftovers = fields.leftovers ?? [];
    this.problems = fields.problems ?? [];
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== LargeHadronError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/**
 * An error raised inside the library, which does not know yet how the whole migration ends; the place that does
 * (`describe-failure`) turns it into a {@link LargeHadronError}.
 */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint: string,
    options?: { cause?: unknown; problems?: readonly Problem[] },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.problems = options?.problems ?? [];
  }
  readonly problems: readonly Problem[];
}

/** A name that was free a moment ago was taken by somebody else: what bears it is not ours to remove. */
export class NameTaken extends Refusal {
  constructor(
    schema: string,
    readonly taken: string,
    cause: unknown,
  ) {
    super(
      'LHM_NAME_TAKEN',
      `The migration needs the name '${schema}.${taken}', which somebody took just now.`,
      'If nobody needs that table, drop it; otherwise rename it. Then run again.',
      { cause },
    );
  }
}
