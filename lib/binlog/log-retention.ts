import type { Database } from '../database/database';
import type { Session } from '../database/session';

/** Rows that a migration copies in a second at least, unless it is held back: a tenth of what two cores manage. */
const ROWS_A_SECOND = 5_000;

/** The names of the setting, and how many seconds one of its units is; the first that says anything counts. */
const SETTINGS = [
  ['binlog_expire_logs_seconds', 1],
  ['expire_logs_days', 86_400],
] as const;

/** Files of the log that are older than this are removed by the server. */
interface Retention {
  readonly setting: string;
  /** Seconds in one of the setting's units. */
  readonly unit: number;
  readonly seconds: number;
}

/**
 * Warns of a log that the server keeps for less long than the table may take to copy. A file that is being read is not
 * removed; one that comes next is, while the reader has lost its connection.
 *
 * @param session on the server whose log is read, unless it is another's
 * @param other whose log it is; null for the session's
 * @param rows of the table, as estimated
 */
export async function briefRetention(
  session: Session,
  other: Database | null,
  rows: number,
): Promise<string[]> {
  if (other === null) return warningOf(session, rows);
  const reader = await other.open('retention');
  try {
    return await warningOf(reader, rows);
  } finally {
    await reader.close();
  }
}

async function warningOf(session: Session, rows: number): Promise<string[]> {
  const retention = await readRetention(session);
  const seconds = Math.ceil(rows / ROWS_A_SECOND);
  if (retention === null || retention.seconds > seconds) return [];
  const { setting, unit } = retention;
  const enough = Math.ceil((2 * seconds) / unit);
  return [
    `The server removes its binary log after ${retention.seconds} s (${setting}), and the table may take ${seconds} s to copy: if its reader lost the connection for longer, the migration would end with LHM_BINLOG_PURGED. SET GLOBAL ${setting} = ${enough};`,
  ];
}

/** Null where nothing is removed by its age. */
async function readRetention(session: Session): Promise<Retention | null> {
  const rows = await session.query<{ Variable_name: string; Value: string }>(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('binlog_expire_logs_seconds', 'binlog_expire_logs_auto_purge', 'expire_logs_days')",
  );
  const values = new Map(rows.map((row) => [row.Variable_name, row.Value]));
  if (values.get('binlog_expire_logs_auto_purge') === 'OFF') return null;
  for (const [setting, unit] of SETTINGS) {
    const seconds = Number(values.get(setting) ?? 0) * unit;
    if (seconds > 0) return { setting, unit, seconds };
  }
  return null;
}
