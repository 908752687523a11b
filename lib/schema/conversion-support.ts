import type { Column } from './table-schema';
import { BYTES, CHARACTERS, FLOATING, TIMES } from './type-families';

const INTEGERS = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'];
const NUMBERS = [...INTEGERS, ...FLOATING, 'decimal'];

/**
 * Conversions in which INSERT … SELECT was seen to give other values than a native ALTER, or to accept what it refuses
 * (MySQL 9.7, MariaDB 10.11).
 */
const DIFFERENT: readonly (readonly [from: readonly string[], to: readonly string[]])[] = [
  [[...CHARACTERS, ...BYTES, ...FLOATING], ['bit']],
  [[...FLOATING], ['year', 'enum', 'set', ...TIMES]],
  [['decimal', 'year', 'bit', 'json', ...INTEGERS], [...TIMES]],
  [
    ['decimal', 'year', ...INTEGERS],
    ['enum', 'set'],
  ],
  [[...TIMES], ['year', 'bit']],
  [['json'], [...NUMBERS, 'bit', 'year']],
  [[...NUMBERS, 'year'], ['json']],
];

/** Whether the copy converts such a column as a native ALTER does. */
export function convertsAsNative(from: Column, to: Column): boolean {
  if (from.columnType === to.columnType) return true;
  return !DIFFERENT.some(
    ([sources, targets]) => sources.includes(from.dataType) && targets.includes(to.dataType),
  );
}
