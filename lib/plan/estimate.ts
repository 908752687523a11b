import type { Session } from '../database/session';
import type { ResolvedOptions } from '../options/options';
import type { TableName } from '../schema/identifier';
import { widthOf } from '../schema/key-column';
import type { Column } from '../schema/table-schema';
import type { PlanEstimate } from './plan';

/** Rows that a server copies in a millisecond, for a first guess of how large chunks will get. */
const ROWS_A_MS = 40;

/** A number, an action, and what InnoDB adds to a row. */
const ENTRY_BYTES = 40;

/** Sizes from the server's statistics, which are estimates themselves. */
export async function estimate(
  session: Session,
  { schema, table }: TableName,
  { chunk }: ResolvedOptions,
  key?: readonly Column[],
): Promise<PlanEstimate> {
  // MySQL would answer with figures of up to a day ago; MariaDB knows no such setting.
  await session.execute('SET SESSION information_schema_stats_expiry = 0').catch(() => undefined);
  const [row] = await session.query<Record<string, string | null>>(
    `SELECT TABLE_ROWS AS row_count, DATA_LENGTH AS data_bytes, INDEX_LENGTH AS index_bytes
       FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`,
    [schema, table],
  );
  const [logging] = await session.query<{ on: number }>('SELECT @@GLOBAL.log_bin AS `on`');
  const rows = Number(row?.['row_count'] ?? 0);
  const dataBytes = Number(row?.['data_bytes'] ?? 0);
  const byTime = Math.max(chunk.rowsMin, Math.min(chunk.rowsMax, chunk.targetMs * ROWS_A_MS));
  return {
    rows,
    chunks: Math.max(1, Math.ceil(rows / (chunk.rows === false ? byTime : chunk.rows))),
    tableBytes: dataBytes + Number(row?.['index_bytes'] ?? 0),
    binlogBytes: Number(logging?.on) === 1 ? dataBytes : 0,
    journalEntryBytes:
      key === undefined ? null : ENTRY_BYTES + key.reduce((sum, column) => sum + widthOf(column), 0),
    writesPerSecond: await writesPerSecond(session, schema, table),
    freeBytes: await freeBytes(session),
  };
}

/** Where performance_schema counts, which it does not on MariaDB unless it is switched on. */
async function writesPerSecond(session: Session, schema: string, table: string): Promise<number | null> {
  try {
    const [row] = await session.query<{ writes: string }>(
      `SELECT COUNT_INSERT + COUNT_UPDATE + COUNT_DELETE AS writes
         FROM performance_schema.table_io_waits_summary_by_table WHERE OBJECT_SCHEMA = ? AND OBJECT_NAME = ?`,
      [schema, table],
    );
    const [status] = await session.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Uptime'");
    if (row === undefined) return null;
    return Number(row.writes) / Math.max(1, Number(status?.Value));
  } catch {
    return null;
  }
}

/** Only MariaDB's DISKS plugin tells, where it is installed. */
async function freeBytes(session: Session): Promise<number | null> {
  try {
    const [row] = await session.query<{ free: string }>(
      `SELECT Available * 1024 AS free FROM information_schema.DISKS
        WHERE LEFT(@@GLOBAL.datadir, LENGTH(Path)) = Path ORDER BY LENGTH(Path) DESC LIMIT 1`,
    );
    return row === undefined ? null : Number(row.free);
  } catch {
    return null;
  }
}
