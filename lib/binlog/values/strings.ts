import type { ValueReader } from './value-reader';

/** Bytes without a character set: BINARY, BLOB, GEOMETRY, VECTOR. The log lacks zeros at a BINARY's end; a column has them anyway. */
export const bytes: ValueReader = (b, start, end) =>
  start === end ? "''" : `X'${b.toString('hex', start, end)}'`;

/** Text in its column's character set. The log lacks a CHAR's spaces at the end, as every answer of the server does. */
export function characters(charset: string): ValueReader {
  return (b, start, end) => (start === end ? "''" : `_${charset} X'${b.toString('hex', start, end)}'`);
}
