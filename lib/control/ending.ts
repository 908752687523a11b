import type { ErrorCode, LargeHadronError, Outcome } from '../errors';

/** How a migration ended. */
export interface Ending {
  /** `done`: it succeeded. */
  readonly outcome: 'done' | Outcome;
  /** Null where it succeeded. */
  readonly code: ErrorCode | null;
}

const OUTCOMES: ReadonlySet<string> = new Set([
  'done',
  'untouched',
  'rolled-back',
  'resumable',
  'swapped',
  'unknown',
] satisfies Ending['outcome'][]);

export const DONE: Ending = { outcome: 'done', code: null };

export function endingOf({ outcome, code }: LargeHadronError): Ending {
  return { outcome, code };
}

/** What a process says may be that of another version. */
export function isEnding(data: unknown): data is Ending {
  return OUTCOMES.has(String((data as Partial<Ending> | null | undefined)?.outcome));
}

/** In a few words. */
export function describeEnding({ outcome, code }: Ending): string {
  return code === null ? 'the tables are swapped' : `${code}, ${outcome}`;
}
