import { lengthOf, type Column } from './table-schema';
import { BYTES, CHARACTERS, FLOATING, isString, TEXT_BYTES, TIMES } from './type-families';

/** Values that the servers change without an error when a column is converted, even in strict mode. */
export interface SilentLoss {
  /** SQL over the origin's column: true for a value that would come out as another. */
  readonly condition: string;
  /** Of which values that is said, e.g. `more than 2 digits behind the point`. */
  readonly what: string;
}

const INTEGERS = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'bit', 'year']);
/** Integers that a FLOAT, and then that a DOUBLE shows with all their digits. */
const EXACT_IN: Readonly<Record<string, ReadonlySet<string>>> = {
  float: new Set(['tinyint', 'smallint', 'year']),
  double: new Set(['tinyint', 'smallint', 'mediumint', 'int', 'year']),
};
/** Wide enough for what any exact number is compared as. */
const WIDE = 'DECIMAL(65,30)';

/**
 * What a conversion would change silently: digits behind the point, digits that a floating number has no room for,
 * the time of day, the date, fractions of a second, trailing spaces. A native ALTER does it without a word; here such
 * a row stops the migration, like one that strict mode refuses.
 *
 * @param column the origin's column in SQL
 * @returns null when no value can be changed so
 */
export function silentLoss(from: Column, to: Column, column: string): SilentLoss | null {
  if (from.columnType === to.columnType) return null;
  if (CHARACTERS.has(to.dataType)) return isString(from) ? trailingSpaces(from, to, column) : null;
  if (to.dataType === 'enum' && isString(from))
    return { condition: `${column} LIKE '% '`, what: 'trailing spaces' };
  if (TIMES.has(to.dataType)) return partOfTime(from, to, column);
  if (FLOATING.has(to.dataType) && scaleOf(to) === null) return precision(from, to, column);
  return behindThePoint(from, to, column);
}

/** Digits behind the point that a column holds; null where they are not fixed, or it holds no number. */
function scaleOf({ dataType, columnType }: Column): number | null {
  if (INTEGERS.has(dataType)) return 0;
  const [, scale] = /\(\d+,(\d+)\)/.exec(columnType) ?? [];
  if (scale !== undefined) return Number(scale);
  return dataType === 'decimal' ? 0 : null;
}

/**
 * Floating numbers are rounded by the digits that they are shown with, and compared by way of text: the servers differ in
 * how they round them, and MariaDB turns the decimal 1.1000 into another DOUBLE than the text.
 */
function behindThePoint(from: Column, to: Column, column: string): SilentLoss | null {
  const [scale, had] = [scaleOf(to), scaleOf(from)];
  if (scale === null || (had !== null && had <= scale)) return null;
  const number = asNumber(from, column);
  if (number === null) return null;
  return {
    condition: FLOATING.has(from.dataType)
      ? `${comparable(number)} AND ${number} <> CONCAT(ROUND(CAST(CONCAT(${number}) AS ${WIDE}), ${scale})) + 0e0`
      : `${comparable(number)} AND ${number} <> ROUND(${number}, ${scale})`,
    what: scale === 0 ? 'digits behind the point' : `more than ${scale} digits behind the point`,
  };
}

/** A FLOAT is what it is shown as: 0.1, not the nearest number that it can hold. */
function precision(from: Column, to: Column, column: string): SilentLoss | null {
  if (EXACT_IN[to.dataType]?.has(from.dataType) === true) return null;
  if (from.dataType === 'float' && scaleOf(from) === null) return null;
  if (to.dataType === 'double' && FLOATING.has(from.dataType)) return null;
  const number = asNumber(from, column);
  if (number === null) return null;
  const held = to.dataType === 'float' ? `CONCAT(CAST(${number} AS FLOAT))` : `CONCAT(${number} + 0e0)`;
  const back = FLOATING.has(from.dataType) ? `${held} + 0e0` : `CAST(${held} AS ${WIDE})`;
  return {
    condition: `${comparable(number)} AND ${number} <> ${back}`,
    what: `more digits than a ${to.dataType.toUpperCase()} holds`,
  };
}

/** Beyond this a number is no longer itself when it is cast to the widest DECIMAL there is. */
function comparable(number: string): string {
  return `ABS(${number}) < 1e34`;
}

/** The value as a number in SQL; null for a type that holds none, or whose number is its place in a list. */
function asNumber(from: Column, column: string): string | null {
  const { dataType } = from;
  if (INTEGERS.has(dataType)) return `(${column} + 0)`;
  if (dataType === 'decimal' || dataType === 'double') return column;
  if (dataType === 'float') return `(CONCAT(${column}) + 0e0)`;
  if (TIMES.has(dataType)) return `(${column} + 0)`;
  return isString(from) ? `CAST(${column} AS ${WIDE})` : null;
}

function partOfTime(from: Column, to: Column, column: string): SilentLoss | null {
  if (isString(from)) return timeInText(to, column);
  if (!TIMES.has(from.dataType)) return null;
  const hasDate = from.dataType !== 'time';
  const hasTime = from.dataType !== 'date';
  if (to.dataType === 'time' && hasDate) return { condition: `${column} IS NOT NULL`, what: 'a date' };
  if (to.dataType === 'date') {
    if (!hasDate) return { condition: `${column} IS NOT NULL`, what: 'a time of day' };
    return hasTime ? timeOfDay(column) : null;
  }
  return hasTime ? fraction(to, column, lengthOf(from) ?? 0) : null;
}

function timeInText(to: Column, column: string): SilentLoss | null {
  if (to.dataType === 'date') return timeOfDay(`CAST(${column} AS DATETIME(6))`);
  if (to.dataType === 'time') return { condition: `${column} LIKE '%-%-%'`, what: 'a date' };
  return fraction(to, column, 6);
}

function timeOfDay(value: string): SilentLoss {
  return { condition: `(TIME_TO_SEC(${value}) <> 0 OR MICROSECOND(${value}) <> 0)`, what: 'a time of day' };
}

function fraction(to: Column, column: string, digits: number): SilentLoss | null {
  const kept = lengthOf(to) ?? 0;
  if (kept >= digits) return null;
  const what = kept === 0 ? 'fractions of a second' : `fractions of a second beyond ${kept} digits`;
  return { condition: `MICROSECOND(${column}) % ${10 ** (6 - kept)} <> 0`, what };
}

/** CHAR keeps none, and a string that is too long by spaces alone is cut. */
function trailingSpaces(from: Column, to: Column, column: string): SilentLoss | null {
  const text = BYTES.has(from.dataType) ? `CONVERT(${column} USING ${to.charset ?? 'binary'})` : column;
  const what = 'trailing spaces';
  if (to.dataType === 'char') {
    // Of a CHAR itself they are gone already.
    return from.dataType === 'char' ? null : { condition: `${text} LIKE '% '`, what };
  }
  const room = lengthOf(to);
  if (room === null) return spacesBeyondBytes(from, to, text);
  const had = CHARACTERS.has(from.dataType) ? lengthOf(from) : null;
  if (had !== null && had <= room) return null;
  // What is too long without its spaces, the server refuses itself.
  return {
    condition: `CHAR_LENGTH(${text}) > ${room} AND CHAR_LENGTH(RTRIM(${text})) <= ${room}`,
    what: `trailing spaces beyond ${room} characters`,
  };
}

/** What a TEXT has no room for is cut as well where it is spaces alone. */
function spacesBeyondBytes(from: Column, to: Column, text: string): SilentLoss | null {
  const room = TEXT_BYTES.get(to.dataType);
  // There is no longer text than what a LONGTEXT holds.
  if (room === undefined || to.dataType === 'longtext') return null;
  const need = TEXT_BYTES.get(from.dataType) ?? 4 * (lengthOf(from) ?? Infinity);
  if (need <= room && from.charset === to.charset) return null;
  const stored = to.charset === null ? text : `CONVERT(${text} USING ${to.charset})`;
  return {
    condition: `LENGTH(${stored}) > ${room} AND LENGTH(RTRIM(${stored})) <= ${room}`,
    what: `trailing spaces beyond ${room} bytes`,
  };
}
