import { id, qualified } from '../../database/sql';
import type { RowKey } from '../../schema/key-column';
import { columnNamed, type Column } from '../../schema/table-schema';
import type { TablePair } from '../../schema/table-pair';
import { upToCondition } from '../../chunk/key-range';
import type { CopiedTo } from '../change-source';

/**
 * The journal: a queue of keys, appended to by the triggers, emptied row by row by the applier. It has no unique
 * key on the key columns, so that an application's write never waits for the applier's locks.
 */
export function createJournal(pair: TablePair): string {
  const columns = keyDefinitions(pair);
  return (
    `CREATE TABLE ${journal(pair)} (` +
    `hadron_seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, ` +
    `hadron_action ENUM('insert', 'update', 'delete') NULL, ${columns.join(', ')}` +
    `) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4`
  );
}

/** The chunk key's columns as another table carries them: same type, character set and collation, nullable. */
export function keyDefinitions(pair: TablePair): string[] {
  return pair.key.originKeys.columns.map(({ name, recorded }) => {
    const column = columnNamed(pair.origin, name);
    return `${id(name)} ${recorded?.type ?? (column === undefined ? '' : columnType(column))} NULL`;
  });
}

function columnType(column: Column): string {
  const characters = column.charset === null ? '' : ` CHARACTER SET ${column.charset}`;
  const collation = column.collation === null ? '' : ` COLLATE ${column.collation}`;
  return column.columnType + characters + collation;
}

/**
 * A row that is never removed. On MariaDB a session with unique_checks=0 and foreign_key_checks=0 that inserts
 * into an EMPTY table switches to bulk insert and locks out all other writers.
 */
export function insertMarker(pair: TablePair): string {
  return `INSERT INTO ${journal(pair)} (hadron_action) VALUES (NULL)`;
}

/** The first row: the marker, unless somebody has emptied the journal. */
export function readMarker(pair: TablePair): string {
  return `SELECT hadron_action IS NULL AS marker FROM ${journal(pair)} FORCE INDEX (PRIMARY) ORDER BY hadron_seq LIMIT 1`;
}

const ENTRY = 'hadron_action IS NOT NULL';

/** The oldest entries. Numbers become visible out of order, so nothing is ever skipped by number. */
export function readJournal(pair: TablePair, copiedTo: CopiedTo, limit: number): string {
  const { originKeys } = pair.key;
  const alias = id(pair.names.journal);
  const inside =
    typeof copiedTo.position === 'string'
      ? copiedTo.position === 'all'
        ? '1'
        : '0'
      : `IF(${upToCondition(originKeys, alias, copiedTo.position)}, 1, 0)`;
  return (
    `SELECT hadron_seq, ${originKeys.select(alias)}, ${inside} AS hadron_inside` +
    ` FROM ${journal(pair)} FORCE INDEX (PRIMARY) WHERE ${ENTRY} ORDER BY hadron_seq LIMIT ${limit}`
  );
}

/**
 * Deletes exactly the numbers given, each found by itself. `BETWEEN` reads, and so locks, the entry behind its end, and
 * `IN (…)` and `OR` become a scan where they name a good part of a small table: both would wait for entries of
 * transactions that are still open.
 */
export function deleteEntries(pair: TablePair, numbers: readonly bigint[]): string {
  const list = numbers.map((number, i) => `SELECT ${number}${i === 0 ? ' AS hadron_done' : ''}`);
  return (
    `DELETE ${journal(pair)} FROM (${list.join(' UNION ALL ')}) AS hadron_list` +
    ` STRAIGHT_JOIN ${journal(pair)} FORCE INDEX (PRIMARY) ON hadron_seq = hadron_done`
  );
}

export function countEntries(pair: TablePair, most: number): string {
  return `SELECT COUNT(*) AS entries FROM (SELECT 1 FROM ${journal(pair)} WHERE ${ENTRY} LIMIT ${most}) AS counted`;
}

export function countEntriesLocking(pair: TablePair): string {
  return `SELECT COUNT(*) AS entries FROM ${journal(pair)} WHERE ${ENTRY} LOCK IN SHARE MODE`;
}

export function insertEntries(pair: TablePair, keys: readonly RowKey[]): string {
  const { originKeys } = pair.key;
  const rows = keys.map((key) => `('update', ${originKeys.literals(key).join(', ')})`);
  return `INSERT INTO ${journal(pair)} (hadron_action, ${originKeys.names.map(id).join(', ')}) VALUES ${rows.join(', ')}`;
}

export function pendingEntries(pair: TablePair): { table: string; condition: string } {
  return { table: journal(pair), condition: ENTRY };
}

function journal(pair: TablePair): string {
  return qualified(pair.schema, pair.names.journal);
}
