/**
 * How the application takes an error.
 *
 * - `busy`: deadlock, lock wait timeout: roll back and go on; they happen without a migration too.
 * - `stale-view`: 1412, the view is older than the table's definition: roll back and go on.
 * - `missing`: 1146, nothing bears the table's name: roll back and go on.
 * - `lost`: the connection is gone.
 * - `unexpected`: an application does not see this on an ordinary day.
 */
export type ErrorClass = 'busy' | 'stale-view' | 'missing' | 'lost' | 'unexpected';

export const DEADLOCK = 'ER_LOCK_DEADLOCK';
export const LOCK_TIMEOUT = 'ER_LOCK_WAIT_TIMEOUT';
export const INTERRUPTED = 'ER_QUERY_INTERRUPTED';
/** A prepared statement found its tables changed three times in a row; seen while MySQL shut down. */
export const REPREPARE = 'ER_NEED_REPREPARE';
export const MISSING = 'ER_NO_SUCH_TABLE';
export const STALE_VIEW = 'ER_TABLE_DEF_CHANGED';

/** Deadlock, lock wait timeout, and MariaDB's "record has changed since last read". */
const BUSY = new Set([1213, 1205, 1020]);
/** Shutdown in progress, connection killed (MySQL, MariaDB). */
const KILLED = new Set([1053, 1927, 3169, 4031]);

interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly fatal?: unknown;
}

export function errorCode(error: unknown): string {
  const { code, errno } = error as DriverError;
  if (typeof code === 'string' && code !== 'UNKNOWN_CODE_PLEASE_REPORT') return code;
  return typeof errno === 'number' ? String(errno) : 'no code';
}

export function classify(error: unknown): ErrorClass {
  const { errno, fatal } = error as DriverError;
  if (typeof errno === 'number') {
    if (BUSY.has(errno)) return 'busy';
    if (errno === 1412) return 'stale-view';
    if (errno === 1146) return 'missing';
    if (KILLED.has(errno)) return 'lost';
  }
  // Not every driver error has a number or a code, but each that ends the connection says so.
  if (fatal === true) return 'lost';
  return /closed state|ECONN|EPIPE|PROTOCOL_/.test(`${errorCode(error)} ${String(error)}`)
    ? 'lost'
    : 'unexpected';
}

/** What the driver says, and of which statement. */
export function message(error: unknown): string {
  const { sql } = error as { readonly sql?: unknown };
  const text = error instanceof Error ? error.message : String(error);
  return typeof sql === 'string' ? `${text}: ${sql.slice(0, 200)}` : text;
}

/** The server's answer shows that a row is not what it must be: a finding, after which the transaction is given up. */
export class Mismatch extends Error {}
