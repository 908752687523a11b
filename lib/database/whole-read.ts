import { patienceOf, patiently } from './patient-session';
import { errorNumber, LOCK_WAIT_TIMEOUT, TRIGGERS_UNREADABLE } from './server-error';
import type { Row, Session } from './session';
import { clock } from '../util/clock';

/** Killed, lock not granted in time, deadlock, statement time over; and a table that cannot be opened. */
const CUT_SHORT = new Set([1317, LOCK_WAIT_TIMEOUT, 1213, 1969, TRIGGERS_UNREADABLE]);

/** A table was skipped, at once, since its definition is being changed. */
const SKIPPED = 1684;

/** How often, and how many ms apart, a session without patience of its own reads it again. */
const LOOKS = 40;
const BETWEEN_MS = 50;

/**
 * Reads a view of information_schema for which the server opens tables. MariaDB leaves out a table that it could not open,
 * because it was locked for too long or the query was killed, and says so by a warning only: a table that has triggers
 * would pass for one that has none.
 *
 * Only an equation with EVENT_OBJECT_SCHEMA (not TRIGGER_SCHEMA) keeps it from opening every table of the server.
 *
 * A patient session (`patientSession`) reads again for as long as it waits for any lock; another one for 2 s, after which
 * whoever called tries again, or does not.
 *
 * @param of the tables that matter, where others may be left out: where many are changed at once there is always one
 * @throws an error with the number that the server has made a warning of; that of a lock wait timeout for a table that
 *   was skipped because its definition is being changed
 */
export async function wholeRead<R = Row>(
  session: Session,
  sql: string,
  values?: readonly unknown[],
  of?: readonly string[],
): Promise<R[]> {
  return repeatedly(session, () => readOnce<R>(session, sql, values, of));
}

async function readOnce<R>(
  session: Session,
  sql: string,
  values?: readonly unknown[],
  of?: readonly string[],
): Promise<R[]> {
  const matters = (message: string): boolean =>
    of === undefined || of.some((table) => message.includes(`'${table}'`));
  const rows = await session.query<R>(sql, values);
  for (const { Code, Message } of await session.query<Warning>('SHOW WARNINGS')) {
    if (Number(Code) === SKIPPED) {
      if (matters(Message)) throw new Skipped(Message);
      continue;
    }
    const error = Object.assign(new Error(Message), { errno: Number(Code) });
    if (CUT_SHORT.has(errorNumber(error))) throw error;
  }
  return rows;
}

/** A lock that was not granted, though nobody has waited for it. */
class Skipped extends Error {
  readonly errno = LOCK_WAIT_TIMEOUT;
}

function repeatedly<T>(session: Session, read: () => Promise<T>): Promise<T> {
  const bound = patienceOf(session);
  return bound === undefined ? unlessSkipped(read) : patiently(bound, read);
}

async function unlessSkipped<T>(read: () => Promise<T>): Promise<T> {
  for (let look = 1; ; look++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Skipped) || look >= LOOKS) throw error;
      await clock.sleep(BETWEEN_MS);
    }
  }
}

interface Warning {
  readonly Code: number | string;
  readonly Message: string;
}

/**
 * Reads the triggers of a table under `SET STATEMENT`, which takes the warning along: where none were found, it is looked
 * whether there are any.
 *
 * @throws an error that counts as a lock wait timeout where there are some, or where the table could not be looked at
 */
export async function readNotOverlooked<R>(
  session: Session,
  { schema, table }: { readonly schema: string; readonly table: string },
  read: () => Promise<R[]>,
): Promise<R[]> {
  return repeatedly(session, async () => {
    const rows = await read();
    if (rows.length > 0) return rows;
    const names = await readOnce(
      session,
      'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?',
      [schema, table],
    );
    if (names.length > 0) throw new Skipped(`the triggers of ${table} could not be read`);
    return rows;
  });
}
