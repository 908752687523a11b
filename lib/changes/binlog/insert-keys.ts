import type { Session } from '../../database/session';
import { id, qualified } from '../../database/sql';
import type { TablePair } from '../../schema/table-pair';
import type { CapturedKey } from './captured-keys';

/** On a session in UTC, in a transaction of its own together with `also`. @param atOnce most keys in one statement */
export async function insertOn(
  session: Session,
  pair: TablePair,
  keys: readonly CapturedKey[],
  { atOnce, also }: { readonly atOnce: number; readonly also: string },
): Promise<void> {
  await session.execute('START TRANSACTION');
  try {
    await insertKeys(session, pair, keys, atOnce);
    await session.execute(also);
    await session.execute('COMMIT');
  } catch (error) {
    if (!session.lost) await session.execute('ROLLBACK');
    throw error;
  }
}

/**
 * Rejects when the connection is gone: then the server may have crashed, and lost what it had committed last. Who reads the
 * server's own log loses that with it; a replica's goes on.
 */
export async function stillThere(session: Session): Promise<void> {
  await session.execute('DO 0');
}

/** On the session that holds the tables, and goes on holding them. */
export async function insertLocked(
  session: Session,
  pair: TablePair,
  keys: readonly CapturedKey[],
  atOnce: number,
): Promise<void> {
  await inUtc(session, () => insertKeys(session, pair, keys, atOnce));
  await session.execute('COMMIT');
}

async function insertKeys(
  session: Session,
  pair: TablePair,
  keys: readonly CapturedKey[],
  atOnce: number,
): Promise<void> {
  const columns = ['hadron_action', ...pair.key.originKeys.names.map(id)].join(', ');
  for (let from = 0; from < keys.length; from += atOnce) {
    const rows = keys
      .slice(from, from + atOnce)
      .map(({ action, literals }) => `('${action}', ${literals.join(', ')})`);
    await session.execute(
      `INSERT INTO ${qualified(pair.schema, pair.names.journal)} (${columns}) VALUES ${rows.join(', ')}`,
    );
  }
}

/** The literals of TIMESTAMP columns are in UTC, which is not what every session runs in. */
async function inUtc(session: Session, run: () => Promise<void>): Promise<void> {
  await session.execute("SET @hadron_zone = @@SESSION.time_zone, SESSION time_zone = '+00:00'");
  try {
    await run();
  } finally {
    if (!session.lost) await session.execute('SET SESSION time_zone = @hadron_zone');
  }
}
