import { sameKeyCondition } from '../chunk/key-range';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { sameTable, type ForeignKey } from '../schema/foreign-key';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';

/** Rows brought back at once. */
const MOST = 500;

/**
 * Keys of rows that the ghost has lost by a cascade which the origin did not take part in. Where the server makes cascades
 * by statements of its own, `DELETE IGNORE` of a parent leaves a row in place that has children of its own to keep it; the
 * ghost, which nothing references, loses it, and no trigger tells.
 *
 * Such a row is one without a parent, so the values that the key has are looked up first, which are few.
 */
export async function rowsLeftBehind(
  session: Session,
  pair: TablePair,
  keys: readonly ForeignKey[],
): Promise<RowKey[]> {
  const { schema, names, origin, key: chunkKey } = pair;
  // With their schemas: a parent in another one may bear the table's name, and under LOCK TABLES nothing may be renamed.
  const own = qualified(schema, origin.table);
  const ghost = id(names.ghost);
  const found: RowKey[] = [];
  for (const key of keys) {
    if (key.onDelete !== 'CASCADE' || sameTable(key.parent, origin)) continue;
    const parent = qualified(key.parent.schema, key.parent.table);
    const filled = key.columns.map((column) => `${own}.${id(column)} IS NOT NULL`).join(' AND ');
    const values = key.columns.map((column, i) => `${own}.${id(column)} AS hadron_${i}`).join(', ');
    const missing = `LENGTH(${parent}.${id(key.parentColumns[0] ?? '')}) IS NULL`;
    const listed = key.parentColumns.map(
      (column, i) => `${parent}.${id(column)} = hadron_values.hadron_${i}`,
    );
    const [orphan] = await session.query(
      `SELECT 1 FROM (SELECT DISTINCT ${values} FROM ${own} WHERE ${filled}) AS hadron_values` +
        ` LEFT JOIN ${parent} ON ${listed.join(' AND ')} WHERE ${missing} LIMIT 1`,
    );
    if (orphan === undefined) continue;
    const same = key.parentColumns.map(
      (column, i) => `${parent}.${id(column)} = ${own}.${id(key.columns[i] ?? '')}`,
    );
    const rows = await session.query(
      `SELECT ${chunkKey.originKeys.select(own)} FROM ${own}` +
        ` LEFT JOIN ${parent} ON ${same.join(' AND ')}` +
        ` LEFT JOIN ${qualified(schema, names.ghost)} FORCE INDEX (${id(chunkKey.ghostIndex)})` +
        ` ON ${sameKeyCondition(chunkKey.originKeys, own, chunkKey.ghostKeys, ghost)}` +
        ` WHERE ${filled} AND ${missing} AND LENGTH(${ghost}.${id(chunkKey.ghostKeys.names[0] ?? '')}) IS NULL LIMIT ${MOST}`,
    );
    found.push(...rows.map((row) => chunkKey.originKeys.read(row)));
  }
  return found;
}
