import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { RunningServer } from '../support/servers';

const QUERIES: readonly (readonly [what: string, sql: string, only?: 'mysql'])[] = [
  [
    'connections',
    // Not the view in information_schema, which fails on MySQL for some characters.
    'SHOW PROCESSLIST',
  ],
  [
    'transactions',
    'SELECT trx_mysql_thread_id, trx_state, trx_started, LEFT(trx_query, 120) AS query, trx_rows_locked FROM information_schema.INNODB_TRX',
  ],
  [
    'table locks',
    "SELECT l.OBJECT_NAME, l.LOCK_TYPE, l.LOCK_STATUS, t.PROCESSLIST_ID FROM performance_schema.metadata_locks l JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID WHERE l.OBJECT_TYPE = 'TABLE' AND l.OBJECT_SCHEMA LIKE 'lhm%'",
    'mysql',
  ],
];

/** Who does what on the server and who waits for whom, in words: for a migration that does not get on. */
export async function situation(server: RunningServer): Promise<string> {
  const lines: string[] = [];
  try {
    const sql = await createConnection({ ...server.connection, connectTimeout: 5000 });
    sql.on('error', () => undefined);
    for (const [what, query, only] of QUERIES) {
      if (only !== undefined && only !== server.flavor) continue;
      const [rows] = await sql.query<RowDataPacket[]>(query);
      lines.push(`${what}:`, ...rows.map((row) => `  ${JSON.stringify(row)}`));
    }
    sql.destroy();
  } catch (error) {
    lines.push(`the server does not tell: ${String(error)}`);
  }
  return lines.join('\n    ');
}
