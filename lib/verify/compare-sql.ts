import { keyListCondition, rangeCondition, sameKeyCondition, type KeyRange } from '../chunk/key-range';
import { id, qualified } from '../database/sql';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';
import { columnNamed, type Column } from '../schema/table-schema';

/** Which rows are compared, as a condition on either table by its own name. */
export interface Selection {
  readonly origin: string;
  readonly ghost: string;
}

export function selectRange(pair: TablePair, range: KeyRange): Selection {
  return {
    origin: rangeCondition(pair.key.originKeys, id(pair.origin.table), range),
    ghost: rangeCondition(pair.key.ghostKeys, id(pair.names.ghost), range),
  };
}

export function selectKeys(pair: TablePair, keys: readonly RowKey[]): Selection {
  return {
    origin: keyListCondition(pair.key.originKeys, id(pair.origin.table), keys),
    ghost: keyListCondition(pair.key.ghostKeys, id(pair.names.ghost), keys),
  };
}

/** Keys that still wait to be applied, seen by the same statement and so by the same snapshot. */
export interface Pending {
  readonly table: string;
  readonly condition: string;
}

/** Differing keys listed at once; more are as good a reason to stop. */
export const MOST_DIFFERENCES = 100;

/**
 * Rows, rows that differ or lack a partner, and partnerless ghost rows of a range, all in one statement and so in
 * one snapshot: `hadron_rows, hadron_differing, hadron_extra`.
 */
export function countDifferences(pair: TablePair, selection: Selection): string {
  const ghost = qualified(pair.schema, pair.names.ghost);
  return (
    `SELECT hadron_rows, hadron_differing, (SELECT COUNT(*) FROM ${ghost} FORCE INDEX (${id(pair.key.ghostIndex)})` +
    ` WHERE ${selection.ghost}) - hadron_partners AS hadron_extra FROM (` +
    `SELECT COUNT(*) AS hadron_rows, COUNT(${firstKey(pair)}) AS hadron_partners,` +
    ` COUNT(IF(${equalRows(pair, 'bytes')}, NULL, 1)) AS hadron_differing` +
    ` FROM ${originJoinGhost(pair)} WHERE ${selection.origin}) AS hadron_compared`
  );
}

/** Keys of origin rows that the ghost lacks or has otherwise, and for which no change waits. */
export function listDiffering(pair: TablePair, selection: Selection, pending: Pending): string {
  const origin = id(pair.origin.table);
  return (
    `SELECT ${pair.key.originKeys.select(origin)} FROM ${originJoinGhost(pair)}` +
    ` WHERE ${selection.origin} AND NOT COALESCE(${equalRows(pair, 'bytes')}, FALSE)` +
    ` AND ${notPending(pair, origin, pair.key.originKeys.names, pending)} LIMIT ${MOST_DIFFERENCES}`
  );
}

/** Keys of ghost rows that the origin lacks, and for which no change waits. */
export function listExtra(pair: TablePair, selection: Selection, pending: Pending): string {
  const { schema, names, key } = pair;
  const [origin, ghost] = [id(pair.origin.table), id(names.ghost)];
  return (
    `SELECT ${key.ghostKeys.select(ghost)} FROM ${qualified(schema, names.ghost)} FORCE INDEX (${id(key.ghostIndex)})` +
    ` LEFT JOIN ${qualified(schema, pair.origin.table)} FORCE INDEX (${id(key.originIndex)})` +
    ` ON ${sameKeyCondition(key.ghostKeys, ghost, key.originKeys, origin)}` +
    ` WHERE ${selection.ghost} AND ${missing(`${origin}.${id(key.originKeys.names[0] ?? '')}`)}` +
    ` AND ${notPending(pair, ghost, key.ghostKeys.names, pending)} LIMIT ${MOST_DIFFERENCES}`
  );
}

/** Keys of rows built in the scratch table that the ghost lacks or has otherwise. */
export function listScratchDiffering(pair: TablePair): string {
  const { schema, names, key } = pair;
  const [scratch, ghost] = [id(names.scratch), id(names.ghost)];
  return (
    `SELECT ${key.ghostKeys.select(scratch)} FROM ${qualified(schema, names.scratch)}` +
    ` LEFT JOIN ${qualified(schema, names.ghost)} FORCE INDEX (${id(key.ghostIndex)})` +
    ` ON ${sameKeyCondition(key.ghostKeys, scratch, key.ghostKeys, ghost)}` +
    ` WHERE NOT COALESCE(${equalRows(pair, 'scratch')}, FALSE)`
  );
}

/** Keys of ghost rows that were not built in the scratch table. */
export function listScratchExtra(pair: TablePair, selection: Selection): string {
  const { schema, names, key } = pair;
  const [scratch, ghost] = [id(names.scratch), id(names.ghost)];
  return (
    `SELECT ${key.ghostKeys.select(ghost)} FROM ${qualified(schema, names.ghost)} FORCE INDEX (${id(key.ghostIndex)})` +
    ` LEFT JOIN ${qualified(schema, names.scratch)} FORCE INDEX (${id(key.ghostIndex)})` +
    ` ON ${sameKeyCondition(key.ghostKeys, scratch, key.ghostKeys, ghost)}` +
    ` WHERE ${selection.ghost} AND ${missing(`${scratch}.${id(key.ghostKeys.names[0] ?? '')}`)}`
  );
}

/** The waiting keys, read after both sides were built; of those given, if any are. */
export function listPending(pair: TablePair, pending: Pending, among?: readonly RowKey[]): string {
  const journal = id(pair.names.journal);
  const { originKeys } = pair.key;
  const some = among === undefined ? '' : ` AND ${keyListCondition(originKeys, journal, among)}`;
  return `SELECT ${originKeys.select(journal)} FROM ${pending.table} WHERE ${pending.condition}${some}`;
}

/** Whether every row can be compared in place; otherwise a scratch table is needed. */
export function comparesInPlace(pair: TablePair): boolean {
  return pair.columns.every((column) => column.comparable !== 'converted');
}

function originJoinGhost(pair: TablePair): string {
  const { schema, names, key } = pair;
  return (
    `${qualified(schema, pair.origin.table)} FORCE INDEX (${id(key.originIndex)})` +
    ` LEFT JOIN ${qualified(schema, names.ghost)} FORCE INDEX (${id(key.ghostIndex)})` +
    ` ON ${sameKeyCondition(key.originKeys, id(pair.origin.table), key.ghostKeys, id(names.ghost))}`
  );
}

function firstKey(pair: TablePair): string {
  return `${id(pair.names.ghost)}.${id(pair.key.ghostKeys.names[0] ?? '')}`;
}

/** That an outer join found no row. For a NOT NULL date of zeros `IS NULL` is true, too. */
function missing(key: string): string {
  return `(LENGTH(${key}) IS NULL)`;
}

function notPending(pair: TablePair, alias: string, names: readonly string[], pending: Pending): string {
  const journal = id(pair.names.journal);
  const same = pair.key.originKeys.names
    .map((name, i) => `${journal}.${id(name)} = ${alias}.${id(names[i] ?? '')}`)
    .join(' AND ');
  return `NOT EXISTS (SELECT 1 FROM ${pending.table} WHERE ${pending.condition} AND ${same})`;
}

/** Every comparable column equal, byte by byte; the key columns too, because 'a' joins 'A'. */
function equalRows(pair: TablePair, side: 'bytes' | 'scratch'): string {
  const columns = comparedColumns(pair).map((column) => equalColumn(pair, column, side));
  return [`NOT ${missing(firstKey(pair))}`, ...columns].join(' AND ');
}

/** The ghost's columns that can be compared with something. */
export function comparedColumns(pair: TablePair): (Column & { readonly expression: string })[] {
  return pair.columns.flatMap(({ target, expression, comparable }) => {
    const column = columnNamed(pair.ghost, target);
    return column === undefined || comparable === 'none' ? [] : [{ ...column, expression }];
  });
}

function equalColumn(
  pair: TablePair,
  column: Column & { readonly expression: string },
  side: 'bytes' | 'scratch',
): string {
  const left = side === 'bytes' ? column.expression : `${id(pair.names.scratch)}.${id(column.name)}`;
  const right = `${id(pair.names.ghost)}.${id(column.name)}`;
  return exact(column)
    .map((part) => `${part(left)} <=> ${part(right)}`)
    .join(' AND ');
}

/** `hadron_partner`, and for each compared column `hadron_same_N`, `hadron_is_N` and `hadron_should_N`. */
export type ShownValues = Readonly<Record<string, string | number | null>>;

/** The values of the rows in the scratch table beside those of the ghost, as text for people. */
export function listValues(pair: TablePair): string {
  const { schema, names, key } = pair;
  const [scratch, ghost] = [id(names.scratch), id(names.ghost)];
  const columns = comparedColumns(pair).flatMap((column, i) => [
    `(${equalColumn(pair, column, 'scratch')}) AS hadron_same_${i}`,
    `${shown(column, `${ghost}.${id(column.name)}`)} AS hadron_is_${i}`,
    `${shown(column, `${scratch}.${id(column.name)}`)} AS hadron_should_${i}`,
  ]);
  return (
    `SELECT ${[`NOT ${missing(firstKey(pair))} AS hadron_partner`, ...columns].join(', ')}` +
    ` FROM ${qualified(schema, names.scratch)} LEFT JOIN ${qualified(schema, names.ghost)} FORCE INDEX (${id(key.ghostIndex)})` +
    ` ON ${sameKeyCondition(key.ghostKeys, scratch, key.ghostKeys, ghost)}`
  );
}

/** The beginning of a value, in which what differs unseen shows: quotes show trailing spaces. */
function shown({ dataType, charset }: Column, value: string): string {
  if (charset !== null || dataType === 'json') return `QUOTE(LEFT(CAST(${value} AS CHAR), 60))`;
  if (dataType === 'bit') return `CAST(${value} AS UNSIGNED)`;
  if (/binary|blob/.test(dataType) || !COMPARED_AS_THEY_ARE.has(dataType)) {
    return /^(timestamp|year)$/.test(dataType)
      ? `CAST(${value} AS CHAR)`
      : `CONCAT('0x', HEX(LEFT(${value}, 30)))`;
  }
  return `CAST(${value} AS CHAR)`;
}

const COMPARED_AS_THEY_ARE = new Set([
  ...['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double', 'bit'],
  ...['date', 'time', 'datetime', 'uuid', 'inet4', 'inet6'],
  ...['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'],
]);

type Part = (expression: string) => string;

/**
 * Expressions of which one differs whenever the stored values do: no collation, no padding, no JSON equality, no hour
 * that comes twice. None of them makes a copy of a long text, which would be NULL beyond `max_allowed_packet`.
 */
function exact({ dataType, charset }: Column): Part[] {
  const length: Part = (value) => `LENGTH(${value})`;
  if (COMPARED_AS_THEY_ARE.has(dataType)) return [(value) => value];
  // Two equal years of one row, known before it is read, differ on MariaDB, which takes them for dates.
  if (dataType === 'year') return [(value) => `(${value}) + 0`];
  // Of a column, this is the instant itself.
  if (dataType === 'timestamp') return [(value) => `UNIX_TIMESTAMP(${value})`];
  if (dataType === 'enum' || dataType === 'set') return [(value) => `CAST(${value} AS UNSIGNED)`];
  // The second is NULL for a document beyond `max_allowed_packet`.
  if (dataType === 'json') return [(value) => value, (value) => `CAST(CAST(${value} AS CHAR) AS BINARY)`];
  // Equal lengths leave no room for padding, and the rest is compared code by code.
  if (charset !== null) return [length, (value) => `${value} COLLATE ${charset}_bin`];
  return [length, (value) => `CRC32(${value})`, (value) => `HEX(${value})`];
}
