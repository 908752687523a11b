import type { ValueReader } from './value-reader';

/** Integers of 1, 2, 3, 4 and 8 bytes, least significant byte first. */
export function integer(bytes: 1 | 2 | 3 | 4 | 8, unsigned: boolean): ValueReader {
  if (bytes === 8) {
    return unsigned
      ? (b, at) => b.readBigUInt64LE(at).toString()
      : (b, at) => b.readBigInt64LE(at).toString();
  }
  return unsigned
    ? (b, at) => b.readUIntLE(at, bytes).toString()
    : (b, at) => b.readIntLE(at, bytes).toString();
}

export const year: ValueReader = (b, at) => {
  const years = b[at] ?? 0;
  return String(years === 0 ? 0 : 1900 + years);
};

/**
 * All digits of the number as a double, which is what the server computes with: FLOAT's own nine digits may lie above its
 * largest value. The exponent makes a floating-point literal of it; without one it would be a DECIMAL, and −0 be 0.
 */
function floating(value: number): string {
  if (Object.is(value, -0)) return '-0e0';
  const digits = String(value);
  return digits.includes('e') ? digits : `${digits}e0`;
}

export const float: ValueReader = (b, at) => floating(b.readFloatLE(at));

export const double: ValueReader = (b, at) => floating(b.readDoubleLE(at));

/** A BIT's bytes begin with the most significant one. */
export const bit: ValueReader = (b, start, end) =>
  end - start <= 6
    ? b.readUIntBE(start, end - start).toString()
    : BigInt(`0x${b.toString('hex', start, end)}`).toString();

/** The number of an ENUM's member, or a SET's members as bits. */
export const member: ValueReader = (b, start, end) => {
  if (end - start <= 6) return b.readUIntLE(start, end - start).toString();
  return BigInt.asUintN(8 * (end - start), littleEndian(b, start, end)).toString();
};

function littleEndian(b: Buffer, start: number, end: number): bigint {
  let value = 0n;
  for (let at = end - 1; at >= start; at--) value = (value << 8n) | BigInt(b[at] ?? 0);
  return value;
}
