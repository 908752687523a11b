/** What a source says: go on, wait, or give the migration up. The reason is shown to people. */
export type Verdict =
  | { readonly kind: 'clear' }
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'abort'; readonly reason: string };

/**
 * Something that the migration makes way for. It is asked beside the work, never in it; while it has no answer, has
 * thrown, or has not answered for too long, the migration holds: what cannot be seen is not clear.
 */
export interface ThrottleSource {
  /** What it is called where a reason is shown. */
  readonly name: string;
  /** How long after an answer it is asked again, in ms. Default: `throttle.intervalMs`. */
  readonly intervalMs?: number;
  /** Must let go of what it waits for when the signal is aborted, which it is after 3 s. */
  check(signal: AbortSignal): Promise<Verdict>;
  /** Lets go of what it has open. Must not reject. */
  close?(): Promise<void>;
}

/** A function of the caller's: a reason to hold, null to go on, or a verdict. */
export type ThrottleFunction = (
  signal: AbortSignal,
) => string | null | Verdict | Promise<string | null | Verdict>;

export const CLEAR: Verdict = { kind: 'clear' };

export const hold = (reason: string): Verdict => ({ kind: 'hold', reason });

export const abort = (reason: string): Verdict => ({ kind: 'abort', reason });
