import type { Session } from '../database/session';
import { tableHolders } from '../database/table-holders';
import type { TableName } from '../schema/identifier';
import type { PlanBlocker } from './plan';

/** Transactions younger than this are gone before a migration gets to ask for a lock. */
const LONG_S = 2;

/**
 * Transactions that are in the way now; null where the account may see none (it takes PROCESS, or performance_schema).
 */
export async function blockers(session: Session, name: TableName): Promise<PlanBlocker[] | null> {
  const holders = await tableHolders(session, name.schema, name.table, [session.id]);
  const transactions = await longTransactions(session);
  if (holders === null && transactions === null) return null;
  const found = new Map<number, PlanBlocker>();
  for (const { connection, seconds } of transactions ?? []) {
    const why = 'an open transaction: if it has read or written the table, it holds it until it ends';
    found.set(connection, { connection, seconds, why });
  }
  for (const { connection, ageMs } of holders ?? []) {
    const seconds = Math.max(Math.round(ageMs / 1000), found.get(connection)?.seconds ?? 0);
    found.set(connection, { connection, seconds, why: 'holds the table' });
  }
  return [...found.values()].sort((a, b) => b.seconds - a.seconds);
}

async function longTransactions(session: Session): Promise<{ connection: number; seconds: number }[] | null> {
  try {
    const rows = await session.query<{ connection: number | string; seconds: number | string }>(
      `SELECT trx_mysql_thread_id AS connection, TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS seconds
         FROM information_schema.INNODB_TRX
        WHERE trx_mysql_thread_id NOT IN (0, ?) AND trx_started < NOW() - INTERVAL ? SECOND`,
      [session.id, LONG_S],
    );
    return rows.map((row) => ({ connection: Number(row.connection), seconds: Number(row.seconds) }));
  } catch {
    return null;
  }
}
