import type { Phase } from './phase';

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
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export interface LargeHadronErrorFields {
  readonly code: string;
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
  readonly code: string;
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
    readonly code: string,
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
