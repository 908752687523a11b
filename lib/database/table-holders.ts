import type { Session } from './session';

/** A transaction that holds a lock on the table, so that a request for an exclusive one would wait for it. */
export interface TableHolder {
  readonly connection: number;
  readonly ageMs: number;
}

/** Who holds the table, from performance_schema; null where it is off or may not be read. */
export async function tableHolders(
  session: Session,
  schema: string,
  table: string,
  own: readonly number[],
): Promise<TableHolder[] | null> {
  try {
    const rows = await session.query<{ connection: string | number | null; age: string | null }>(
      `SELECT t.PROCESSLIST_ID AS connection, MAX(e.TIMER_WAIT) / 1000000000 AS age
         FROM performance_schema.metadata_locks AS m
         JOIN performance_schema.threads AS t ON t.THREAD_ID = m.OWNER_THREAD_ID
         LEFT JOIN performance_schema.events_transactions_current AS e
           ON e.THREAD_ID = t.THREAD_ID AND e.STATE = 'ACTIVE'
        WHERE m.OBJECT_TYPE = 'TABLE' AND m.OBJECT_SCHEMA = ? AND m.OBJECT_NAME = ? AND m.LOCK_STATUS = 'GRANTED'
        GROUP BY t.PROCESSLIST_ID`,
      [schema, table],
    );
    return rows
      .flatMap(({ connection, age }) =>
        connection === null ? [] : [{ connection: Number(connection), ageMs: Number(age ?? 0) }],
      )
      .filter(({ connection }) => !own.includes(connection));
  } catch {
    return null;
  }
}
