import { silentLoss } from '../schema/silent-loss';
import { lengthOf, type Column } from '../schema/table-schema';
import { FLOATING, isString, TEXT_BYTES, TIMES } from '../schema/type-families';

/** Which values do not fit. */
type Risk = string | null;

/** Bytes of each integer type. */
const INTEGERS: ReadonlyMap<string, number> = new Map([
  ['tinyint', 1],
  ['smallint', 2],
  ['mediumint', 3],
  ['int', 4],
  ['bigint', 8],
]);
const LISTED = new Set(['enum', 'set']);

/**
 * Which values a converted column has no room for, in words; null when every value comes out as the same. The first such
 * row stops the migration, whether the server would refuse it or change it silently.
 */
export function conversionRisk(from: Column, to: Column): Risk {
  const loss = silentLoss(from, to, '');
  const silent = loss === null ? null : `a value with ${loss.what} does not fit`;
  return [sizeRisk(from, to), silent].filter((risk) => risk !== null).join('; ') || null;
}

function sizeRisk(from: Column, to: Column): Risk {
  if (isInteger(from) && isInteger(to)) return within(integerRange(from), integerRange(to));
  if (isExact(from) && isExact(to)) return decimalRisk(digitsOf(from), roomFor(to), unsigned(from, to));
  if (FLOATING.has(from.dataType) || FLOATING.has(to.dataType)) return floatingRisk(from, to);
  if (LISTED.has(from.dataType) && LISTED.has(to.dataType)) return membersRisk(from, to);
  if (TIMES.has(from.dataType) && TIMES.has(to.dataType)) return timeRisk(from, to);
  if (isString(from) && isString(to)) return stringRisk(from, to);
  if (from.columnType === to.columnType) return null;
  if (isString(to) && !isString(from)) return 'a value may be longer than there is room for';
  return 'a value may not be one of the new type';
}

const isInteger = ({ dataType }: Column): boolean => INTEGERS.has(dataType);
const isExact = (column: Column): boolean => isInteger(column) || column.dataType === 'decimal';
const isUnsigned = ({ columnType }: Column): boolean => /\bunsigned\b/i.test(columnType);
const unsigned = (from: Column, to: Column): boolean => isUnsigned(to) && !isUnsigned(from);

function integerRange(column: Column): readonly [bigint, bigint] {
  const bits = BigInt((INTEGERS.get(column.dataType) ?? 8) * 8);
  return isUnsigned(column) ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

function within(
  [least, most]: readonly [bigint, bigint],
  [newLeast, newMost]: readonly [bigint, bigint],
): Risk {
  if (least >= newLeast && most <= newMost) return null;
  return `a value below ${newLeast} or above ${newMost} does not fit`;
}

interface Digits {
  readonly before: number;
  readonly after: number;
}

/** Digits before and after the point that a value may have. */
function digitsOf(column: Column): Digits {
  const [, precision, scale] = /\((\d+)(?:,(\d+))?\)/.exec(column.columnType) ?? [];
  if (column.dataType === 'decimal') {
    const after = Number(scale ?? 0);
    return { before: Number(precision ?? 10) - after, after };
  }
  const [least, most] = integerRange(column);
  return { before: Math.max(String(-least).length, String(most).length), after: 0 };
}

/** Digits that any value may have and fit: an integer's largest value has one more. */
function roomFor(column: Column): Digits {
  const { before, after } = digitsOf(column);
  return isInteger(column) ? { before: before - 1, after } : { before, after };
}

function decimalRisk(from: Digits, to: Digits, losesSign: boolean): Risk {
  if (to.before < from.before) return `more than ${to.before} digits before the point do not fit`;
  if (losesSign) return 'a negative value does not fit';
  return null;
}

function floatingRisk(from: Column, to: Column): Risk {
  if (from.columnType === to.columnType) return null;
  if (FLOATING.has(to.dataType) && (from.dataType !== 'double' || to.dataType === 'double')) return null;
  if (isString(to)) return 'a value may be longer than there is room for';
  return 'a value may be out of range';
}

/** Members by their text: the order makes no difference. */
function membersRisk(from: Column, to: Column): Risk {
  const kept = new Set(members(to));
  const gone = members(from).filter((member) => !kept.has(member));
  if (gone.length > 0) return `a row with ${gone.join(', ')} does not fit`;
  return from.dataType === 'set' && to.dataType === 'enum' ? 'a combination does not fit' : null;
}

function members({ columnType }: Column): string[] {
  return columnType.match(/'(?:[^']|'')*'/g) ?? [];
}

function timeRisk(from: Column, to: Column): Risk {
  if (from.dataType !== to.dataType && to.dataType === 'timestamp') {
    return 'a date before 1970 or after the end of TIMESTAMP does not fit';
  }
  return null;
}

function stringRisk(from: Column, to: Column): Risk {
  if (from.charset !== to.charset && !holdsAll(from.charset, to.charset)) {
    return to.charset === null
      ? 'the bytes of the text are kept, and its character set is forgotten'
      : `a character that ${to.charset} does not have does not fit`;
  }
  const [room, need] = [roomOf(to), roomOf(from)];
  return room.characters !== null && (need.characters === null || room.characters < need.characters)
    ? `more than ${room.characters} characters do not fit`
    : room.bytes < (need.characters === null ? need.bytes : need.characters * widthOf(to.charset))
      ? `more than ${room.bytes} bytes do not fit`
      : null;
}

/** How much a string column holds: characters where it counts them, and bytes. */
function roomOf(column: Column): { readonly characters: number | null; readonly bytes: number } {
  const bytes = TEXT_BYTES.get(column.dataType);
  if (bytes !== undefined) return { characters: null, bytes };
  const length = lengthOf(column) ?? 1;
  return { characters: length, bytes: length * widthOf(column.charset) };
}

const WIDTHS: ReadonlyMap<string, number> = new Map([
  ...(['utf8mb4', 'utf16', 'utf16le', 'utf32', 'gb18030'] as const).map((name) => [name, 4] as const),
  ...(['utf8', 'utf8mb3', 'ujis', 'eucjpms'] as const).map((name) => [name, 3] as const),
  ...(['ucs2', 'sjis', 'cp932', 'gbk', 'gb2312', 'big5', 'euckr'] as const).map((name) => [name, 2] as const),
]);

/** Bytes of a character, at most. */
function widthOf(charset: string | null): number {
  return WIDTHS.get(charset ?? '') ?? 1;
}

const UNICODE = new Set(['utf8mb4', 'utf16', 'utf16le', 'utf32', 'gb18030']);
const BASIC_UNICODE = new Set(['utf8', 'utf8mb3', 'ucs2']);

/** Whether a character set has every character of another one. */
function holdsAll(from: string | null, to: string | null): boolean {
  if (from === null || to === null) return false;
  if (from === 'ascii' || UNICODE.has(to)) return true;
  return BASIC_UNICODE.has(to) && !UNICODE.has(from);
}
