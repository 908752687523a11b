import { errorNumber, messageOf } from '../database/server-error';
import { LargeHadronError, Refusal, type Leftover, type Outcome } from '../errors';
import type { Phase } from '../phase';

export interface FailureFacts {
  readonly phase: Phase;
  readonly table: string;
  readonly outcome: Outcome;
  readonly leftovers: readonly Leftover[];
  /** Why what was begun could not be taken back. */
  readonly notTakenBack?: Refusal | undefined;
  /** Who was waited for in vain: a sentence that follows the message. */
  readonly inTheWay?: string;
}

/** Codes for errors of the server that have a known way out. */
const KNOWN: ReadonlyMap<number, readonly [code: string, hint: string]> = new Map([
  [
    1419,
    [
      'LHM_MISSING_PRIVILEGE',
      'SET GLOBAL log_bin_trust_function_creators = 1; or let an account with the SUPER privilege migrate.',
    ],
  ],
  [1142, ['LHM_MISSING_PRIVILEGE', 'Grant the privilege that the message names.']],
  [1044, ['LHM_MISSING_PRIVILEGE', 'Grant the account privileges on the database.']],
  [1227, ['LHM_MISSING_PRIVILEGE', 'Grant the privilege that the message names.']],
  [1290, ['LHM_READ_ONLY', 'The server became read-only; connect to the primary.']],
  [1836, ['LHM_READ_ONLY', 'The server became read-only; connect to the primary.']],
  [
    1205,
    ['LHM_LOCK_TIMEOUT', 'Something held the table or its rows for too long; run again when it is gone.'],
  ],
  [1213, ['LHM_LOCK_TIMEOUT', 'The same deadlock came back again and again; run again at a quieter time.']],
  [1114, ['LHM_DISK_FULL', 'Make room on the server and run again.']],
  [1021, ['LHM_DISK_FULL', 'Make room on the server and run again.']],
]);

/** Turns whatever was thrown into the one error that callers see. */
export function describeFailure(error: unknown, { notTakenBack, ...facts }: FailureFacts): LargeHadronError {
  if (error instanceof LargeHadronError) return error;
  const rest = refusalHint(notTakenBack, error) + leftoverHint(facts.leftovers);
  const { inTheWay = '' } = facts;
  if (error instanceof Refusal) {
    const { code, problems } = error;
    const message = error.message + inTheWay;
    return new LargeHadronError({
      ...facts,
      code,
      message,
      problems,
      hint: error.hint + rest,
      cause: error.cause,
    });
  }
  const message = `The migration of '${facts.table}' failed in phase ${facts.phase}: ${messageOf(error)}${inTheWay === '' ? '' : `.${inTheWay}`}`;
  const [code, hint] = known(error);
  return new LargeHadronError({ ...facts, code, message, hint: hint + rest, cause: error });
}

function known(error: unknown): readonly [string, string] {
  const { fatal, code } = (error ?? {}) as { fatal?: unknown; code?: unknown };
  if (fatal === true || code === 'PROTOCOL_CONNECTION_LOST' || errorNumber(error) === 1927) {
    return ['LHM_CONNECTION_LOST', 'A connection to the server was lost. Run again once the server answers.'];
  }
  return (
    KNOWN.get(errorNumber(error)) ?? [
      'LHM_FAILED',
      'See the cause. Run again once it is gone; the table was not swapped half-way.',
    ]
  );
}

/** Nothing was removed when another server would have been asked to. */
function refusalHint(refusal: Refusal | undefined, error: unknown): string {
  if (refusal === undefined) return '';
  const seen = refusal.code === (error as Partial<Refusal>).code ? '' : ` ${refusal.message} ${refusal.hint}`;
  return ` Nothing could be taken back or removed.${seen}`;
}

function leftoverHint(leftovers: readonly Leftover[]): string {
  if (leftovers.length === 0) return '';
  return ` Left on the server: ${leftovers.map(({ name, sql }) => `${name} (${sql})`).join('; ')}.`;
}
