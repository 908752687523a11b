import type { Column } from './table-schema';

/** Types whose values are text, in a character set. */
export const CHARACTERS: ReadonlySet<string> = new Set([
  ...['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'],
]);
/** Types whose values are bytes. */
export const BYTES: ReadonlySet<string> = new Set([
  ...['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'],
]);
export const FLOATING: ReadonlySet<string> = new Set(['float', 'double']);
export const TIMES: ReadonlySet<string> = new Set(['date', 'time', 'datetime', 'timestamp']);

/** Bytes that each type without a length of its own holds at most. */
export const TEXT_BYTES: ReadonlyMap<string, number> = new Map([
  ...(['tinytext', 'tinyblob'] as const).map((type) => [type, 255] as const),
  ...(['text', 'blob'] as const).map((type) => [type, 65_535] as const),
  ...(['mediumtext', 'mediumblob'] as const).map((type) => [type, 16_777_215] as const),
  ...(['longtext', 'longblob', 'json'] as const).map((type) => [type, 4_294_967_295] as const),
]);

/** Whether a column holds text or bytes. */
export function isString({ dataType }: Pick<Column, 'dataType'>): boolean {
  return CHARACTERS.has(dataType) || BYTES.has(dataType);
}
