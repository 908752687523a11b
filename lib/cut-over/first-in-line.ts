import { waitingStatements, type WaitingStatement } from '../database/process-list';
import type { Session } from '../database/session';
import type { TableName } from '../schema/identifier';

/**
 * Who is served before a RENAME that waits for the table. A RENAME goes before writers, readers and ALTER TABLE, but
 * requests for an exclusive lock are served in turn: a TRUNCATE, DROP or RENAME that has come first empties or replaces
 * the table, and would then be undone by the swap although its client was told that it is done.
 *
 * @param renamer the connection whose RENAME is known to be waiting
 * @returns a connection that is or may be before it; null when there is none
 */
export async function firstInLine(
  session: Session,
  table: TableName,
  renamer: number,
): Promise<number | null> {
  const waiting = await exclusiveRequests(session, table);
  // Only where our own is among them are they known to be all there are.
  const others =
    waiting?.includes(renamer) === true ? waiting : await possibleRequests(session, table, renamer);
  return others.find((connection) => connection !== renamer) ?? null;
}

/** Connections that may wait for an exclusive lock on the table, by their statements. */
async function possibleRequests(session: Session, table: TableName, renamer: number): Promise<number[]> {
  const suspects = async (whole: boolean): Promise<WaitingStatement[]> =>
    (await waitingStatements(session, whole)).filter(
      ({ connection, statement }) => connection !== renamer && !servedAfterRename(statement),
    );
  if ((await suspects(false)).length === 0) return [];
  return (await suspects(true))
    .filter(({ statement }) => names(statement, table))
    .map(({ connection }) => connection);
}

/** Which table of them all is waited for is not told. */
function names(statement: string, { schema, table }: TableName): boolean {
  const text = statement.toLowerCase();
  const has = (name: string): boolean => text.includes(name.toLowerCase().replaceAll('`', '``'));
  return (
    has(table) || text.includes(table.toLowerCase()) || (/\b(?:database|schema)\b/.test(text) && has(schema))
  );
}

/** Connections that wait for an exclusive lock on the table; null where performance_schema does not tell. */
async function exclusiveRequests(session: Session, { schema, table }: TableName): Promise<number[] | null> {
  try {
    const rows = await session.query<{ connection: number | string | null }>(
      `SELECT t.PROCESSLIST_ID AS connection
         FROM performance_schema.metadata_locks AS m
         JOIN performance_schema.threads AS t ON t.THREAD_ID = m.OWNER_THREAD_ID
        WHERE m.OBJECT_TYPE = 'TABLE' AND m.OBJECT_SCHEMA = ? AND m.OBJECT_NAME = ?
          AND m.LOCK_STATUS = 'PENDING' AND m.LOCK_TYPE = 'EXCLUSIVE'`,
      [schema, table],
    );
    return rows.flatMap(({ connection }) => (connection === null ? [] : [Number(connection)]));
  } catch {
    return null;
  }
}

/**
 * Reads and writes of rows, whose locks give way to the RENAME. Of everything else, and of what is not recognised, it is
 * not certain, and waiting costs no more than another attempt. Within a procedure or a prepared statement the server
 * shows the statement that waits.
 */
export function servedAfterRename(statement: string): boolean {
  const bare = statement.replace(
    /^(?:\s+|\(|--[ \t][^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*(?!M?!)[^]*?\*\/)+/,
    '',
  );
  return /^(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|VALUES|LOAD|LOCK|SHOW|DESC|DESCRIBE|EXPLAIN)\b/i.test(
    bare,
  );
}
