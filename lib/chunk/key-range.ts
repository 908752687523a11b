import { id } from '../database/sql';
import type { KeyColumns, RowKey } from '../schema/key-column';

/** Rows with `after < key <= upTo` in the order of the walk; null stands for no bound on that side. */
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

/** What the walk comes to after `bound`. */
export function afterCondition(keys: KeyColumns, alias: string, bound: RowKey): string {
  return compare(keys, alias, bound, 'after');
}

/** What the walk comes to before `bound`, and `bound` itself. */
export function upToCondition(keys: KeyColumns, alias: string, bound: RowKey): string {
  return compare(keys, alias, bound, 'upTo');
}

/** `key = one of these`. */
export function keyListCondition(keys: KeyColumns, alias: string, list: readonly RowKey[]): string {
  const [only] = keys.columns;
  if (keys.columns.length === 1 && only !== undefined) {
    const literals = list.map((key) => only.literal(key[0] ?? ''));
    const name = `${alias}.${id(only.name)}`;
    const conditions = [literals.filter((v) => !isUnsigned(v)), literals.filter(isUnsigned)]
      .filter((alike) => alike.length > 0)
      .map((alike) => `${name} IN (${alike.join(', ')})`);
    return conditions.length === 1 ? (conditions[0] ?? '') : `(${conditions.join(' OR ')})`;
  }
  return `(${list.map((key) => `(${equalCondition(keys, alias, key)})`).join(' OR ')})`;
}

/** A number that the servers take for an unsigned one: MariaDB uses no index for a list of both sorts. */
function isUnsigned(literal: string): boolean {
  return /^\d{19,}$/.test(literal) && BigInt(literal) >= 2n ** 63n;
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
 * A composite comparison written out: `(a, b) > (1, 2)` is a full scan on both servers, and `a >= 1 AND (a > 1 OR b > 2)` a
 * scan of every row from `a = 1` on, while `a > 1 OR (a = 1 AND b > 2)` is two ranges of the index.
 */
function compare(keys: KeyColumns, alias: string, bound: RowKey, side: 'after' | 'upTo'): string {
  const end = keys.columns.length - 1;
  const from = (i: number): string => {
    const column = keys.columns[i];
    if (column === undefined) return 'TRUE';
    const name = `${alias}.${id(column.name)}`;
    const value = bound[i] ?? '';
    const beyond = (side === 'after') === column.descending ? '<' : '>';
    const operator = i === end && side === 'upTo' ? (`${beyond}=` as const) : beyond;
    const compared =
      column.compare?.(name, operator, value) ?? `${name} ${operator} ${column.literal(value)}`;
    return i === end ? compared : `${compared} OR (${name} = ${column.literal(value)} AND (${from(i + 1)}))`;
  };
  return `(${from(0)})`;
}
