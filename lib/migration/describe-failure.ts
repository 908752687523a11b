import {
  areTriggersUnreadable,
  errorNumber,
  isConnectionLoss,
  isInterruption,
  messageOf,
  TRIGGERS_UNREADABLE,
} from '../database/server-error';
import { LargeHadronError, Refusal, type ErrorCode, type Leftover, type Outcome } from '../errors';
import type { Phase } from '../phase';

export interface FailureFacts {
  readonly phase: Phase;
  readonly table: string;
  readonly outcome: Outcome;
  readonly leftovers: readonly Leftover[];
  /** Whether the server could not be asked which of them there are. */
  readonly unsure?: boolean;
  /** Why what was begun could not be taken back. */
  readonly notTakenBack?: Error | undefined;
  /** What to do about the leftovers beside dropping them. */
  readonly advice?: string;
  /** Who was waited for in vain: a sentence that follows the message. */
  readonly inTheWay?: string;
  /** What failed, for the message. Default: the migration, in its phase. */
  readonly what?: string;
}

const TOO_MANY =
  'Let more connections in (max_connections, or the limit of the account): a migration has up to six open at once, and one more with throttle.query.';
const WRITABLE = 'The server became read-only: connect to the one that the application writes to.';
const RAISE_PACKET =
  'Raise max_allowed_packet (SET GLOBAL, for connections made from then on), and run again.';
const ROOM =
  'Make room on the server, where the new table takes about as much as the old one, and run again.';

const MEND_TRIGGERS =
  "MariaDB has lost the list of the triggers of a table, as it does when a RENAME is killed half-way, and opens the table no more. Its rows are whole: move the file <table>.TRG out of the folder of the database in the server's data directory, FLUSH TABLES, create the triggers again (each after DROP TRIGGER IF EXISTS), and run largeHadronCleanUp (docs/triggers.md).";

/** Errors of the server that have a known way out, by their number. */
const KNOWN: ReadonlyMap<number, readonly [code: ErrorCode, hint: string]> = new Map([
  [1045, ['LHM_CANNOT_CONNECT', 'Correct the user and the password in the Knex connection.']],
  [
    1698,
    ['LHM_CANNOT_CONNECT', 'Correct the user in the Knex connection: this one may not come in that way.'],
  ],
  [1049, ['LHM_CANNOT_CONNECT', 'Correct the database in the Knex connection.']],
  [1040, ['LHM_CANNOT_CONNECT', TOO_MANY]],
  [1203, ['LHM_CANNOT_CONNECT', TOO_MANY]],
  [1226, ['LHM_CANNOT_CONNECT', TOO_MANY]],
  [
    1419,
    [
      'LHM_MISSING_PRIVILEGE',
      'SET GLOBAL log_bin_trust_function_creators = 1; or let an account with the SUPER privilege migrate.',
    ],
  ],
  [
    1449,
    [
      'LHM_BAD_DEFINER',
      'The account that the triggers run as is gone, and every write to the table failed with it. Name a lasting one by triggers.definer, and run again.',
    ],
  ],
  [1142, ['LHM_MISSING_PRIVILEGE', 'Grant the privilege that the message names.']],
  [1044, ['LHM_MISSING_PRIVILEGE', 'Grant the account privileges on the database.']],
  [1227, ['LHM_MISSING_PRIVILEGE', 'Grant the privilege that the message names.']],
  [1290, ['LHM_READ_ONLY', WRITABLE]],
  [1836, ['LHM_READ_ONLY', WRITABLE]],
  [
    1205,
    ['LHM_LOCK_TIMEOUT', 'Something held the table or its rows for too long; run again when it is gone.'],
  ],
  [1213, ['LHM_LOCK_TIMEOUT', 'The same deadlock came back again and again; run again at a quieter time.']],
  [1153, ['LHM_LIMIT_TOO_SMALL', RAISE_PACKET]],
  [1301, ['LHM_LIMIT_TOO_SMALL', RAISE_PACKET]],
  [
    1197,
    [
      'LHM_LIMIT_TOO_SMALL',
      'Not even one row fits: raise max_binlog_cache_size (SET GLOBAL max_binlog_cache_size = DEFAULT;), and run again.',
    ],
  ],
  [1206, ['LHM_LIMIT_TOO_SMALL', 'Raise innodb_buffer_pool_size, and run again.']],
  [
    3100,
    [
      'LHM_LIMIT_TOO_SMALL',
      'Not even one row fits: raise group_replication_transaction_size_limit, and run again.',
    ],
  ],
  [TRIGGERS_UNREADABLE, ['LHM_TRIGGERS_UNREADABLE', MEND_TRIGGERS]],
  [1114, ['LHM_DISK_FULL', ROOM]],
  [1021, ['LHM_DISK_FULL', ROOM]],
]);

/**
 * The error to tell of two. A server that shuts down interrupts the statements first, and is gone when it is asked again:
 * that is a connection that was lost.
 */
export function tellingMost(error: unknown, afterwards: unknown): unknown {
  if (areTriggersUnreadable(afterwards)) return afterwards;
  if (!isInterruption(error) || !UNREACHABLE.has(codeOf(afterwards))) return error;
  const message = `${messageOf(error)}; then ${messageOf(afterwards)}`;
  return Object.assign(new Error(message, { cause: error }), { fatal: true });
}

/** Turns whatever was thrown into the one error that callers see. */
export function describeFailure(error: unknown, { notTakenBack, ...facts }: FailureFacts): LargeHadronError {
  const { inTheWay = '', advice = '' } = facts;
  const rest = refusalHint(notTakenBack, error) + advice;
  if (error instanceof Refusal) {
    const { code, problems } = error;
    const message = error.message + inTheWay;
    return new LargeHadronError({
      ...facts,
      code,
      message,
      problems,
      hint: hintFor(facts, (facts.outcome === 'swapped' && STOPS.has(code) ? TIDY : error.hint) + rest),
      cause: error.cause,
    });
  }
  const what = facts.what ?? `The migration of '${facts.table}' failed in phase ${facts.phase}`;
  const message = `${what}: ${messageOf(error)}${inTheWay === '' ? '' : `.${inTheWay}`}`;
  const [code, hint] = known(error);
  return new LargeHadronError({
    ...facts,
    code,
    message,
    hint: hintFor(facts, (facts.outcome === 'swapped' ? TIDY : hint) + rest),
    cause: error,
  });
}

/** By somebody who need not run it again once the change is made. */
const STOPS: ReadonlySet<ErrorCode> = new Set(['LHM_INTERRUPTED', 'LHM_PANIC', 'LHM_CRITICAL_LOAD']);

const TIDY = 'What is left is removed by largeHadronCleanUp or the next migration of the table.';

/** Before everything else: whether the change is made. */
const STANDS: Readonly<Partial<Record<Outcome, string>>> = {
  swapped: 'The table has its new definition: treat the change as done.',
  unknown: 'Look first whether the table is there and which definition it has.',
};

function hintFor({ outcome, leftovers, unsure = false }: FailureFacts, hint: string): string {
  const left = leftovers.map(({ name, sql }) => `${name} (${sql})`).join('; ');
  const which = unsure || outcome === 'unknown' ? 'May be left on the server' : 'Left on the server';
  return [STANDS[outcome] ?? '', hint, left && `${which}: ${left}.`].filter((part) => part !== '').join(' ');
}

function known(error: unknown): readonly [ErrorCode, string] {
  const answered = KNOWN.get(errorNumber(error));
  if (answered !== undefined) return answered;
  if (UNREACHABLE.has(codeOf(error))) {
    return [
      'LHM_CANNOT_CONNECT',
      'Correct host and port in the Knex connection, or wait until the server answers there.',
    ];
  }
  if (isConnectionLoss(error)) {
    return ['LHM_CONNECTION_LOST', 'A connection to the server was lost. Run again once the server answers.'];
  }
  return ['LHM_FAILED', 'The message says why. Run again once that is mended.'];
}

function codeOf(error: unknown): string {
  return String(((error ?? {}) as { code?: unknown }).code);
}

/** Nothing was removed when another server would have been asked to, or a statement of ours may still be running. */
function refusalHint(reason: Error | undefined, error: unknown): string {
  if (reason === undefined) return '';
  const { code, hint = '' } = reason as Partial<Refusal>;
  const known = code !== undefined && code === (error as Partial<Refusal>).code;
  const seen = known ? '' : ` ${reason.message} ${hint}`.trimEnd();
  return ` Nothing could be taken back or removed.${seen}`;
}

/** Nobody listens there. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
