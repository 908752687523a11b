import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { KEYS_ALONE } from '../schema/foreign-key';
import type { TableName } from '../schema/identifier';

/**
 * Changes keys of a table, and nothing else: the server may neither copy the table nor look at its rows, which are known
 * to fit.
 */
export async function alterKeys(
  session: Session,
  { schema, table }: TableName,
  clauses: readonly string[],
): Promise<void> {
  if (clauses.length === 0) return;
  const name = qualified(schema, table);
  await session.execute(`ALTER TABLE ${name} ${KEYS_ALONE} ${clauses.join(', ')}, ALGORITHM = INPLACE`);
}

/** Runs `work` with foreign_key_checks off: with checks on the server would copy the whole table. */
export async function withoutChecks<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const [row] = await session.query<{ was: number }>('SELECT @@SESSION.foreign_key_checks AS was');
  if (Number(row?.was) === 0) return work();
  await session.execute('SET SESSION foreign_key_checks = 0');
  try {
    return await work();
  } finally {
    if (!session.lost) await session.execute('SET SESSION foreign_key_checks = 1');
  }
}

/**
 * Makes indexes that the server made for a key the table's own, which it then neither replaces nor builds anew when a key
 * on the same columns is added: what is renamed counts as wanted.
 *
 * @param meanwhile a name that is free in the table
 */
export async function keepIndexes(
  session: Session,
  table: TableName,
  indexes: readonly string[],
  meanwhile: string,
): Promise<void> {
  for (const name of indexes) {
    await alterKeys(session, table, [renameIndex(name, meanwhile)]);
    await alterKeys(session, table, [renameIndex(meanwhile, name)]);
  }
}

export function renameIndex(from: string, to: string): string {
  return `RENAME INDEX ${id(from)} TO ${id(to)}`;
}
