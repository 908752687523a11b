import type { Session } from '../../database/session';
import { id, qualified } from '../../database/sql';
import type { TablePair } from '../../schema/table-pair';
import type { CapturedKey } from './captured-keys';

/** Writes keys to the journal. @param atOnce most of them in one statement */
export async function insertKeys(
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
export async function inUtc(session: Session, run: () => Promise<void>): Promise<void> {
  await session.execute("SET @hadron_zone = @@SESSION.time_zone, SESSION time_zone = '+00:00'");
  try {
    await run();
  } finally {
    if (!session.lost) await session.execute('SET SESSION time_zone = @hadron_zone');
  }
}
