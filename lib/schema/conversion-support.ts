import type { Column } from './table-schema';

const FLOATING = ['float', 'double'];
const INTEGERS = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'];
const NUMBERS = [...INTEGERS, ...FLOATING, 'decimal'];
const STRINGS = ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];
const BYTES = ['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'];
const DATES = ['date', 'datetime', 'timestamp', 'time'];

/**
 * Conversions in which INSERT … SELECT was seen to give other values than a native ALTER, or to accept what it refuses
 * (MySQL 9.7, MariaDB 10.11).
 */
const DIFFERENT: readonly (readonly [from: readonly string[], to: readonly string[]])[] = [
  [[...STRINGS, ...BYTES, ...FLOATING], ['bit']],
  [FLOATING, ['year', 'enum', 'set', ...DATES]],
  [['decimal', 'year', 'bit', 'json', ...INTEGERS], DATES],
  [
    ['decimal', 'year', ...INTEGERS],
    ['enum', 'set'],
  ],
  [DATES, ['year']],
  [['json'], [...NUMBERS, 'bit', 'year']],
  [NUMBERS, ['json']],
];

/** Whether the copy converts such a column as a native ALTER does. */
export function convertsAsNative(from: Column, to: Column): boolean {
  if (from.columnType === to.columnType) return true;
  return !DIFFERENT.some(
    ([sources, targets]) => sources.includes(from.dataType) && targets.includes(to.dataType),
  );
}
