import { errorNumber, LOCK_WAIT_TIMEOUT, TRIGGERS_UNREADABLE } from './server-error';
import type { Row, Session } from './session';
import { clock } from '../util/clock';

/** Killed, lock not granted in time, deadlock, statement time over; and a table that cannot be opened. */
const CUT_SHORT = new Set([1317, LOCK_WAIT_TIMEOUT, 1213, 1969, TRIGGERS_UNREADABLE]);

/** A table was skipped, at once, since its definition is being changed. */
const SKIPPED = 1684;

/** How often, and how many ms apart, it is read again before that counts as a lock that was not granted. */
const LOOKS = 40;
const BETWEEN_MS = 50;

/**
 * Reads a view of information_schema for which the server opens tables. MariaDB leaves out a table that it could not open,
 * because it was locked for too long or the query was killed, and says so by a warning only: a table that has triggers
 * would pass for one that has none.
 *
 * Only an equation with EVENT_OBJECT_SCHEMA (not TRIGGER_SCHEMA) keeps it from opening every table of the server.
 *
 * @throws an error with the number that the server has made a warning of
 */
export async function wholeRead<R = Row>(
  session: Session,
  sql: string,
  values?: readonly unknown[],
): Promise<R[]> {
  for (let look = 1; ; look++) {
    const rows = await session.query<R>(sql, values);
    const warnings = await session.query<Warning>('SHOW WARNINGS');
    const skipped = warnings.find(({ Code }) => Number(Code) === SKIPPED);
    if (skipped !== undefined && look < LOOKS) {
      await clock.sleep(BETWEEN_MS);
      continue;
    }
    for (const { Code, Message } of warnings) {
      const error = Object.assign(new Error(Message), {
        errno: Number(Code) === SKIPPED ? LOCK_WAIT_TIMEOUT : Number(Code),
      });
      if (CUT_SHORT.has(errorNumber(error))) throw error;
    }
    return rows;
  }
}

interface Warning {
  readonly Code: number | string;
  readonly Message: string;
}

/**
 * Whether a table of which no triggers were found has none. For reads under `SET STATEMENT`, which takes the warning along.
 *
 * @throws an error that counts as a lock wait timeout where it has some, or could not be looked at
 */
export async function refuseOverlooked(
  session: Session,
  schema: string,
  table: string,
  found: readonly unknown[],
): Promise<void> {
  if (found.length > 0) return;
  const names = await wholeRead(
    session,
    'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?',
    [schema, table],
  );
  if (names.length > 0)
    throw Object.assign(new Error(`the triggers of ${table} could not be read`), {
      errno: LOCK_WAIT_TIMEOUT,
    });
}
