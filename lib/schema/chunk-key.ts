import type { Problem } from '../errors';
import { columnNamed, lengthOf, type Index, type TableSchema } from './table-schema';
import { changesRows, parseForeignKeys } from './foreign-key';
import { keyColumn, KeyColumns, type KeyColumn } from './key-column';

/** The unique key by which the origin is walked, and the index of the ghost that finds the same rows. */
export interface ChunkKey {
  readonly originIndex: string;
  readonly originKeys: KeyColumns;
  readonly ghostIndex: string;
  /** The new definition has no such index: one is made for as long as rows are copied. */
  readonly helper: boolean;
  readonly ghostKeys: KeyColumns;
}

export interface KeyCandidate {
  readonly index: Index;
  readonly keys: KeyColumns;
}

/** Why an index cannot be the chunk key; for the message of the refusal. */
export interface RejectedKey {
  readonly index: string;
  readonly reason: string;
}

/** Unique keys that name every row exactly once: PRIMARY first, then the shortest UNIQUE NOT NULL. */
export function keyCandidates(table: TableSchema): { usable: KeyCandidate[]; rejected: RejectedKey[] } {
  const usable: KeyCandidate[] = [];
  const rejected: RejectedKey[] = [];
  for (const index of table.indexes) {
    if (!index.unique) continue;
    const result = candidate(table, index);
    if (typeof result === 'string') rejected.push({ index: index.name, reason: result });
    else usable.push({ index, keys: result });
  }
  usable.sort((a, b) => rank(a.index) - rank(b.index));
  return { usable, rejected };
}

/** Where no key names every row exactly once. */
export function noCandidate({ table }: TableSchema, rejected: readonly RejectedKey[]): Problem {
  const why = rejected.map(({ index, reason }) => `'${index}' cannot be used: ${reason}`).join('; ');
  return {
    code: 'LHM_NO_USABLE_KEY',
    message: `Table '${table}' has no PRIMARY KEY or UNIQUE key over NOT NULL columns${why === '' ? '' : ` (${why})`}.`,
    hint: 'Add a primary key, or make the columns of a unique key NOT NULL.',
  };
}

/**
 * Pairs the best candidate with an index of the ghost whose first columns are the same, unconverted.
 *
 * "Unconverted" is what makes `ghost.key = origin.key` mean the same row: the same type and collation, or an
 * integer of another width, whose value is the same number. A candidate whose columns begin no index of the ghost gets
 * one of its own, if there is no better.
 */
export function chooseChunkKey(
  candidates: readonly KeyCandidate[],
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
  hasValue: (ghostColumn: string) => boolean,
): { key: ChunkKey | null; rejected: RejectedKey[] } {
  const rejected: RejectedKey[] = [];
  let helped: ChunkKey | null = null;
  for (const { index, keys } of candidates) {
    const reason = converted(keys, origin, ghost, mapping, hasValue);
    if (reason !== null) {
      rejected.push({ index: index.name, reason });
      continue;
    }
    const ghostKeys = keys.renamed(mapping);
    const ghostIndex = indexBeginningWith(ghost, ghostKeys.names);
    const key = { originIndex: index.name, originKeys: keys, ghostKeys };
    if (ghostIndex !== null) return { key: { ...key, ghostIndex, helper: false }, rejected };
    helped ??= { ...key, ghostIndex: freeIndexName(ghost), helper: true };
  }
  return { key: helped, rejected };
}

function freeIndexName({ indexes }: TableSchema): string {
  const taken = new Set(indexes.map(({ name }) => name.toLowerCase()));
  let name = 'hadron_key';
  while (taken.has(name)) name += '_';
  return name;
}

function rank(index: Index): number {
  return index.name === 'PRIMARY' ? 0 : index.parts.length;
}

function candidate(table: TableSchema, index: Index): KeyColumns | string {
  if (index.hidden) return 'it is invisible';
  if (index.type !== 'BTREE') return `it is a ${index.type} index`;
  const columns: KeyColumn[] = [];
  const moving = columnsMovedByCascades(table);
  for (const part of index.parts) {
    if (part.column === null) return 'it holds an expression';
    if (part.prefix !== null) return `it covers only a prefix of '${part.column}'`;
    const column = columnNamed(table, part.column);
    if (column === undefined) return `its column '${part.column}' is hidden`;
    if (TAKEN.has(column.name.toLowerCase()))
      return `'${part.column}' is a name that no column of the journal can take from it`;
    if (column.nullable) return `'${part.column}' may be NULL`;
    if (moving.has(column.name.toLowerCase()))
      return `'${part.column}' is changed by cascades of a foreign key`;
    if (column.generated) return `'${part.column}' is generated`;
    const key = keyColumn(column, part.descending);
    if (key === null) return `'${part.column}' is of type ${column.columnType}, which has no exact order`;
    columns.push(key);
  }
  return new KeyColumns(columns);
}

/** Columns that a parent changes with its own key: without a trigger, so that a row would get another key unnoticed. */
function columnsMovedByCascades({ createSql, schema }: TableSchema): ReadonlySet<string> {
  const keys = parseForeignKeys(createSql, schema).filter(({ onUpdate }) => changesRows(onUpdate));
  return new Set(keys.flatMap(({ columns }) => columns.map((column) => column.toLowerCase())));
}

/** Columns of the journal itself; and what InnoDB refuses as the name of a column that may be NULL. */
const TAKEN = new Set(['hadron_seq', 'hadron_action', 'fts_doc_id']);

const INTEGERS = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);

function converted(
  keys: KeyColumns,
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
  hasValue: (ghostColumn: string) => boolean,
): string | null {
  for (const name of keys.names) {
    const target = mapping.get(name);
    if (target === undefined) return `the ALTER drops '${name}'`;
    if (hasValue(target)) return `'${target}' gets a value of its own (columns.values)`;
    const before = columnNamed(origin, name);
    const after = columnNamed(ghost, target);
    if (before === undefined || after === undefined) return `'${target}' is not in the new table`;
    if (after.generated) return `the ALTER makes '${target}' a generated column`;
    if (INTEGERS.has(before.dataType) && INTEGERS.has(after.dataType)) continue;
    const same =
      before.dataType === after.dataType &&
      before.charset === after.charset &&
      before.collation === after.collation;
    // A longer VARCHAR holds the same values; a shorter one may cut blanks off, and then it is another key.
    const longer = before.dataType === 'varchar' && (lengthOf(before) ?? 0) <= (lengthOf(after) ?? 0);
    if (!same || (before.columnType !== after.columnType && !longer)) {
      return `the ALTER converts '${name}' from ${before.columnType} to ${after.columnType}`;
    }
  }
  return null;
}

function indexBeginningWith(ghost: TableSchema, names: readonly string[]): string | null {
  const wanted = names.map((name) => name.toLowerCase());
  const found = ghost.indexes.filter(
    (index) =>
      !index.hidden &&
      index.type === 'BTREE' &&
      wanted.every((name, i) => {
        const part = index.parts[i];
        return part?.column?.toLowerCase() === name && part.prefix === null;
      }),
  );
  found.sort((a, b) => rank(a) - rank(b));
  return found[0]?.name ?? null;
}
