import { id } from '../database/sql';
import type { KeyColumns, RowKey } from '../schema/key-column';

/** Rows with `after < key <= upTo` in the key's own order; null stands for no bound on that side. */
export interface KeyRange {
  readonly after: RowKey | null;
  readonly upTo: RowKey | null;
}

/** `TRUE` for the whole table. */
export function rangeCondition(keys: KeyColumns, alias: string, range: KeyRange): string {
  const conditions = [
    range.after && afterCondition(keys, alias, range.after),
    range.upTo && upToCondition(keys, alias, range.upTo),
  ].filter((condition) => condition !== null);
  return conditions.length === 0 ? 'TRUE' : conditions.join(' AND ');
}

/** `key > bound`. */
export function afterCondition(keys: KeyColumns, alias: string, bound: RowKey): string {
  return compare(keys, alias, bound, '>', '>');
}

/** `key <= bound`. */
export function upToCondition(keys: KeyColumns, alias: string, bound: RowKey): string {
  return compare(keys, alias, bound, '<', '<=');
}

/** `key = one of these`. */
export function keyListCondition(keys: KeyColumns, alias: string, list: readonly RowKey[]): string {
  const [only] = keys.columns;
  if (keys.columns.length === 1 && only !== undefined) {
    const values = list.map((key) => only.literal(key[0] ?? '')).join(', ');
    return `${alias}.${id(only.name)} IN (${values})`;
  }
  return `(${list.map((key) => `(${equalCondition(keys, alias, key)})`).join(' OR ')})`;
}

/** `leftKey = rightKey`, column by column. */
export function sameKeyCondition(
  left: KeyColumns,
  leftAlias: string,
  right: KeyColumns,
  rightAlias: string,
): string {
  return left.columns
    .map((column, i) => `${leftAlias}.${id(column.name)} = ${rightAlias}.${id(right.columns[i]?.name ?? '')}`)
    .join(' AND ');
}

function equalCondition(keys: KeyColumns, alias: string, key: RowKey): string {
  const literals = keys.literals(key);
  return keys.columns.map((column, i) => `${alias}.${id(column.name)} = ${literals[i] ?? ''}`).join(' AND ');
}

/**
 * A composite comparison written out: `(a, b) > (1, 2)` is a full scan on both servers, while
 * `a >= 1 AND (a > 1 OR (a = 1 AND b > 2))` is a range of the index.
 */
function compare(keys: KeyColumns, alias: string, bound: RowKey, inner: '<' | '>', last: '>' | '<='): string {
  const columns = keys.columns.map((column) => `${alias}.${id(column.name)}`);
  const literals = keys.literals(bound);
  const end = columns.length - 1;
  const from = (i: number): string => {
    const column = columns[i] ?? '';
    const literal = literals[i] ?? '';
    if (i === end) return `${column} ${last} ${literal}`;
    return `${column} ${inner}= ${literal} AND (${column} ${inner} ${literal} OR (${from(i + 1)}))`;
  };
  return `(${from(0)})`;
}
