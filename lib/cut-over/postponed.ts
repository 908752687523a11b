export interface PostponedOptions {
  readonly cause?: unknown;
  /** The pause before the next attempt, in ms, where more is known of it than how many attempts there were. */
  readonly pauseMs?: number;
  /** What a person can do about it. Default: end the transactions that hold the table. */
  readonly wayOut?: string;
}

/** An attempt that was given up without harm: the locks are released, writers go on, and it may be tried again. */
export class Postponed extends Error {
  override readonly name = 'Postponed';
  readonly pauseMs: number | null;
  readonly wayOut: string;

  constructor(
    /** In words, for the progress and for the error when no attempt is left. */
    readonly reason: string,
    options: PostponedOptions = {},
  ) {
    super(reason, { cause: options.cause });
    this.pauseMs = options.pauseMs ?? null;
    this.wayOut = options.wayOut ?? 'End the transactions that hold the table (see SHOW PROCESSLIST)';
  }
}

/** An attempt that ended with its connection. */
export class Interrupted extends Postponed {}

/** For what took longer than the application may be kept waiting. */
export const RAISE_BUDGET = 'Raise cutOver.drainBudgetMs, or wait for a time with fewer writes';

/** For transactions with an older read view that would not end. */
export const END_OLD_VIEWS =
  "End these transactions (KILL and the connection's number), or set cutOver.oldReadViews to 'ignore' if none of them reads the table after the swap";
