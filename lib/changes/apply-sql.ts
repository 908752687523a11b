import { keyListCondition } from '../chunk/key-range';
import { id, qualified } from '../database/sql';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';

/**
 * The one statement by which rows reach the ghost, from a chunk and from a replayed change alike. Without IGNORE
 * and REPLACE, which would lose rows silently, and under READ COMMITTED, where it takes no lock on the origin.
 *
 * @param condition over the origin, by its own name
 */
export function insertFromOrigin(
  pair: TablePair,
  condition: string,
  into: string = pair.names.ghost,
): string {
  const targets = pair.columns.map((column) => id(column.target)).join(', ');
  const expressions = pair.columns.map((column) => column.expression).join(', ');
  return (
    `INSERT INTO ${qualified(pair.schema, into)} (${targets}) SELECT ${expressions}` +
    ` FROM ${qualified(pair.schema, pair.origin.table)} FORCE INDEX (${id(pair.key.originIndex)}) WHERE ${condition}`
  );
}

/** Which rows of the origin have one of the keys. */
export function originHas(pair: TablePair, keys: readonly RowKey[]): string {
  return keyListCondition(pair.key.originKeys, id(pair.origin.table), keys);
}

/** Which rows of the ghost have one of the keys. */
export function ghostHas(pair: TablePair, keys: readonly RowKey[]): string {
  return keyListCondition(pair.key.ghostKeys, id(pair.names.ghost), keys);
}

/** The multi-table form takes an index hint on every version; a small table would be scanned otherwise. */
export function deleteFromGhost(pair: TablePair, keys: readonly RowKey[]): string {
  const ghost = qualified(pair.schema, pair.names.ghost);
  return (
    `DELETE FROM ${ghost} USING ${ghost} FORCE INDEX (${id(pair.key.ghostIndex)})` +
    ` WHERE ${ghostHas(pair, keys)}`
  );
}
