import type { Row, Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { Refusal } from '../errors';
import { describeKey, sameTable, type ForeignKey } from '../schema/foreign-key';
import type { KeyColumns } from '../schema/key-column';
import type { FinalKey } from '../schema/key-plan';
import type { TablePair } from '../schema/table-pair';

/** Rows that an error names. */
const MOST_NAMED = 5;

/**
 * A key that is added must hold for every row, as an ALTER would have it.
 *
 * @throws Refusal LHM_FOREIGN_KEY_ORPHANS naming rows that have no parent
 */
export async function refuseOrphans(
  session: Session,
  pair: TablePair,
  { key, name }: FinalKey,
): Promise<void> {
  const { ghostKeys } = pair.key;
  const ghost = id(pair.names.ghost);
  const { table, columns } = parentOf(pair, key);
  const same = columns.map((column, i) => `${column} = ${ghost}.${id(key.columns[i] ?? '')}`);
  const filled = key.columns.map((column) => `${ghost}.${id(column)} IS NOT NULL`);
  const rows = await session.query(
    `SELECT ${ghostKeys.select(ghost)} FROM ${qualified(pair.schema, pair.names.ghost)}` +
      ` LEFT JOIN ${table} ON ${same.join(' AND ')}` +
      ` WHERE ${filled.join(' AND ')} AND LENGTH(${columns[0] ?? 'NULL'}) IS NULL LIMIT ${MOST_NAMED}`,
  );
  refuse(pair, { key, name }, ghostKeys, rows);
}

/**
 * The same before any row is copied, by the values that the copy would have: where one knows them.
 *
 * @throws Refusal LHM_FOREIGN_KEY_ORPHANS
 */
export async function refuseOrphansEarly(
  session: Session,
  pair: TablePair,
  added: Pick<FinalKey, 'key' | 'name'>,
): Promise<void> {
  const { key } = added;
  const { originKeys } = pair.key;
  const values = key.columns.map((column) => expressionOf(pair, column));
  const { parent } = key;
  if (values.includes(null) || (parent.schema === pair.schema && parent.table === pair.names.ghost)) return;
  // A name of its own: in another schema the parent may bear the table's.
  const columns = key.parentColumns.map((column) => `hadron_parent.${id(column)}`);
  const same = columns.map((column, i) => `${column} = ${values[i] ?? ''}`);
  const filled = values.map((value) => `${value ?? ''} IS NOT NULL`);
  const origin = id(pair.origin.table);
  const rows = await session.query(
    `SELECT ${originKeys.select(origin)} FROM ${qualified(pair.schema, pair.origin.table)}` +
      ` LEFT JOIN ${qualified(parent.schema, parent.table)} AS hadron_parent ON ${same.join(' AND ')}` +
      ` WHERE ${filled.join(' AND ')} AND LENGTH(${columns[0] ?? 'NULL'}) IS NULL LIMIT ${MOST_NAMED}`,
  );
  refuse(pair, added, originKeys, rows);
}

function refuse(
  pair: TablePair,
  { key, name }: Pick<FinalKey, 'key' | 'name'>,
  keys: KeyColumns,
  rows: readonly Row[],
): void {
  if (rows.length === 0) return;
  const named = rows.map((row) => `(${keys.describe(keys.read(row))})`).join(', ');
  throw new Refusal(
    'LHM_FOREIGN_KEY_ORPHANS',
    `Rows have no parent under the foreign key ${describeKey(pair.origin.table, { ...key, name })}: ${named}${rows.length === MOST_NAMED ? ' …' : ''}.`,
    'Correct or delete these rows, or leave the key out; the table was left as it is.',
  );
}

/**
 * What is referenced. A table that is locked can be named once in a statement, so a reference to the table itself is
 * looked up in the origin, by the expressions that the new table's columns are made of.
 */
function parentOf(pair: TablePair, key: ForeignKey): { table: string; columns: string[] } {
  const ghost = { schema: pair.schema, table: pair.names.ghost };
  if (!sameTable(key.parent, ghost)) {
    const { schema, table } = key.parent;
    const columns = key.parentColumns.map((column) => `${id(table)}.${id(column)}`);
    return { table: qualified(schema, table), columns };
  }
  const columns = key.parentColumns.map((column) => expressionOf(pair, column) ?? 'NULL');
  return { table: qualified(pair.schema, pair.origin.table), columns };
}

function expressionOf(pair: TablePair, target: string): string | null {
  const made = pair.columns.find((column) => column.target.toLowerCase() === target.toLowerCase());
  return made?.expression ?? null;
}
