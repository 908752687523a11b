/** Turns the bytes of one value, from `start` up to `end`, into a literal. */
export type ValueReader = (bytes: Buffer, start: number, end: number) => string;

const ZEROS = '000000000';

/** Decimal digits, filled with zeros from the left; `width` up to 9. */
export function padded(value: number, width: number): string {
  const digits = String(value);
  return digits.length >= width ? digits : ZEROS.slice(0, width - digits.length) + digits;
}
