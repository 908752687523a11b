/** The server's error number; 0 for an error that did not come from it. */
export function errorNumber(error: unknown): number {
  const { errno } = (error ?? {}) as { errno?: unknown };
  return typeof errno === 'number' && errno > 0 ? errno : 0;
}

export function messageOf(error: unknown): string {
  // An error of Node's own is no `instanceof Error` to a module that Jest has loaded.
  const { message } = (error ?? {}) as { message?: unknown };
  if (typeof message === 'string') return message;
  try {
    return String(error);
  } catch {
    return 'something that is no error';
  }
}

export const DUPLICATE_ENTRY = 1062;

const DEADLOCK = 1213;
export const LOCK_WAIT_TIMEOUT = 1205;
/** MariaDB: record has changed since last read (innodb_snapshot_isolation). */
const RECORD_CHANGED = 1020;

/** Somebody else goes first; what was asked for was not done. */
export function isDeadlock(error: unknown): boolean {
  return errorNumber(error) === DEADLOCK;
}

/** Those of the server, of the account by its own limit, and of the account by one of its resources. */
const TOO_MANY_CONNECTIONS = [1040, 1203, 1226];

/** Whether the same may simply be done again. */
export function isTransient(error: unknown): boolean {
  return [DEADLOCK, LOCK_WAIT_TIMEOUT, RECORD_CHANGED].includes(errorNumber(error)) || isTooMany(error);
}

/** Whether the server lets nobody more in now. */
export function isTooMany(error: unknown): boolean {
  return TOO_MANY_CONNECTIONS.includes(errorNumber(error));
}

/** Whether the error says that the connection is gone (and the statement's fate with it). */
export function isConnectionLoss(error: unknown): boolean {
  const { fatal, code } = (error ?? {}) as { fatal?: unknown; code?: unknown };
  return (
    fatal === true ||
    // Disconnected for inactivity (MySQL), killed (MariaDB, MySQL), the server is shutting down.
    [4031, 1927, 3169, 1053].includes(errorNumber(error)) ||
    ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(String(code))
  );
}

/** KILL QUERY. */
const QUERY_INTERRUPTED = 1317;

/** The session holds locks, and none on this table. */
export const NOT_LOCKED = 1100;

/**
 * Whether a statement failed for reasons that have nothing to do with it: its connection was lost, or it was killed. On
 * MariaDB an ALTER that is killed when it is nearly done counts as done, and the next statement fails: nobody else gets the
 * table, but the session that has it locked cannot use it either until it has let go of it.
 */
export function isInterruption(error: unknown): boolean {
  return isConnectionLoss(error) || [QUERY_INTERRUPTED, NOT_LOCKED].includes(errorNumber(error));
}

/** Whether the server takes no writes (1290 has other causes as well, which no waiting mends). */
export function isReadOnly(error: unknown): boolean {
  const number = errorNumber(error);
  return number === 1836 || (number === 1290 && /read[-_ ]only/i.test(messageOf(error)));
}

export const TRIGGERS_UNREADABLE = 1343;

/** MariaDB: the file in which it keeps a table's triggers is none that it can read, so it does not open the table. */
export function areTriggersUnreadable(error: unknown): boolean {
  return errorNumber(error) === TRIGGERS_UNREADABLE;
}

/** Packet or binlog cache too small, too many row locks, transaction too large for the group. */
const TOO_LARGE = new Set([1153, 1197, 1206, 1534, 3100]);

/** Whether a statement or transaction with fewer rows may get through. */
export function isTooLarge(error: unknown): boolean {
  return TOO_LARGE.has(errorNumber(error));
}

/** A metadata lock was not granted in time; nothing happened. */
export function isLockTimeout(error: unknown): boolean {
  return errorNumber(error) === LOCK_WAIT_TIMEOUT || errorNumber(error) === 1969;
}

/** Errors by which the server refuses a value that does not fit its new column. */
const DATA_ERRORS = new Set([
  1048, 1138, 1263, 1264, 1265, 1292, 1300, 1364, 1365, 1366, 1367, 1406, 1411, 1416, 1425, 1441, 1525, 1690,
  1526, 3140, 3141, 3157, 3643, 3819, 4025, 4078, 1977, 1918,
  // The row as a whole: for a page, for an undo record.
  1118, 1713,
]);

/** Whether the error says that a row's value does not fit the new definition. */
export function isDataError(error: unknown): boolean {
  return DATA_ERRORS.has(errorNumber(error));
}
