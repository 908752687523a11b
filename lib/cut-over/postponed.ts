/** An attempt that was given up without harm: the locks are released, writers go on, and it may be tried again. */
export class Postponed extends Error {
  override readonly name = 'Postponed';
  constructor(
    /** In words, for the progress and for the error when no attempt is left. */
    readonly reason: string,
    options?: { cause?: unknown },
    /** The pause before the next attempt, in ms, where more is known of it than how many attempts there were. */
    readonly pauseMs: number | null = null,
  ) {
    super(reason, options);
  }
}
