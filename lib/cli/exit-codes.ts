import { LargeHadronError, type Outcome } from '../errors';

/** Said by `$?`; docs/cli.md lists them. */
export const EXIT = {
  done: 0,
  failed: 1,
  refused: 2,
  rolledBack: 3,
  swapped: 4,
  unknown: 5,
} as const;

const BY_OUTCOME: Readonly<Record<'done' | Outcome, number>> = {
  done: EXIT.done,
  untouched: EXIT.refused,
  'rolled-back': EXIT.rolledBack,
  resumable: EXIT.rolledBack,
  swapped: EXIT.swapped,
  unknown: EXIT.unknown,
};

/** Bad input: nothing was begun. */
export class BadInput extends Error {}

/** A migration is there, and does not say how it stands. */
export class DoesNotAnswer extends Error {}

export function exitCodeFor(outcome: 'done' | Outcome): number {
  return BY_OUTCOME[outcome];
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof LargeHadronError) return BY_OUTCOME[error.outcome];
  if (error instanceof DoesNotAnswer) return EXIT.unknown;
  return error instanceof BadInput ? EXIT.refused : EXIT.failed;
}

/** For a person. */
export function describeError(error: unknown): string {
  if (!(error instanceof LargeHadronError)) return error instanceof Error ? error.message : String(error);
  const { code, message, hint, problems, outcome, leftovers } = error;
  return [
    `${code}: ${message}`,
    // A single one is what the message says.
    ...(problems.length < 2 ? [] : problems).map(
      (problem) => `  ${problem.code}: ${problem.message} ${problem.hint}`,
    ),
    ...(hint === '' || message.endsWith(hint) ? [] : [hint]),
    `The table: ${outcome}.`,
    ...leftovers.map(({ sql }) => `Left: ${sql};`),
  ].join('\n');
}
