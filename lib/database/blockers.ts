import type { Session } from './session';
import { tableHolders } from './table-holders';

/** A transaction that is in the way of a lock on a table, or may be. */
export interface Blocker {
  readonly connection: number;
  /** How long it has been open, in seconds. */
  readonly seconds: number;
  readonly why: string;
}

/**
 * Transactions that are in the way now; null where the account may see none (it takes PROCESS, or performance_schema).
 *
 * @param own connections to leave out
 * @param longS transactions not known to hold the table count from this age, in seconds
 */
export async function blockers(
  session: Session,
  schema: string,
  table: string,
  own: readonly number[],
  longS: number,
): Promise<Blocker[] | null> {
  const holders = await tableHolders(session, schema, table, own);
  const transactions = await longTransactions(session, own, longS);
  if (holders === null && transactions === null) return null;
  const found = new Map<number, Blocker>();
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

/** One sentence for an error; empty where nobody is known to be in the way. */
export function nameBlockers(found: readonly Blocker[] | null): string {
  if (found === null || found.length === 0) return '';
  const named = found.map(
    ({ connection, seconds, why }) => `connection ${connection} (${seconds} s, ${why})`,
  );
  return ` In the way: ${named.join('; ')}.`;
}

async function longTransactions(
  session: Session,
  own: readonly number[],
  longS: number,
): Promise<{ connection: number; seconds: number }[] | null> {
  try {
    const rows = await session.query<{ connection: number | string; seconds: number | string }>(
      `SELECT trx_mysql_thread_id AS connection, TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS seconds
         FROM information_schema.INNODB_TRX
        WHERE trx_mysql_thread_id NOT IN (0, ?) AND trx_started < NOW() - INTERVAL ? SECOND`,
      [own, longS],
    );
    return rows.map((row) => ({ connection: Number(row.connection), seconds: Number(row.seconds) }));
  } catch {
    return null;
  }
}
