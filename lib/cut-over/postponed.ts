/** An attempt that was given up without harm: the locks are released, writers go on, and it may be tried again. */
export class Postponed extends Error {
  override readonly name = 'Postponed';
  constructor(
    /** In words, for the progress and for the error when no attempt is left. */
    readonly reason: string,
    options?: { cause?: unknown },
    /** Whether the next moment is as good as any later one, so that a longer pause would gain nothing. */
    readonly soon = false,
  ) {
    super(reason, options);
  }
}
