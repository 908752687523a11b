import { padded, type ValueReader } from './value-reader';

/** Nine digits take four bytes; fewer take these. */
const BYTES_FOR = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;
const GROUP = 9;

function bytesFor(digits: number): number {
  return Math.floor(digits / GROUP) * 4 + (BYTES_FOR[digits % GROUP] ?? 0);
}

/** Bytes of a DECIMAL(precision, scale). */
export function decimalBytes(precision: number, scale: number): number {
  return bytesFor(precision - scale) + bytesFor(scale);
}

/**
 * DECIMAL as digits in quotes: groups of nine digits, most significant first; the first bit is the sign, and a negative
 * number has all bits turned over.
 */
export function decimal(precision: number, scale: number): ValueReader {
  const whole = precision - scale;
  const wholeBytes = BYTES_FOR[whole % GROUP] ?? 0;
  const lastDigits = scale % GROUP;
  const lastBytes = BYTES_FOR[lastDigits] ?? 0;
  return (b, start, end) => {
    const negative = ((b[start] ?? 0) & 0x80) === 0;
    const bytes = Buffer.allocUnsafe(end - start);
    for (let at = start; at < end; at++) bytes[at - start] = (b[at] ?? 0) ^ (negative ? 0xff : 0);
    bytes[0] = (bytes[0] ?? 0) & 0x7f;
    let at = wholeBytes;
    let digits = wholeBytes === 0 ? '' : String(bytes.readUIntBE(0, wholeBytes));
    for (let group = Math.floor(whole / GROUP); group > 0; group--, at += 4) {
      digits += padded(bytes.readUInt32BE(at), GROUP);
    }
    let text = digits.replace(/^0+(?=\d)/, '') || '0';
    if (scale > 0) {
      text += '.';
      for (let group = Math.floor(scale / GROUP); group > 0; group--, at += 4) {
        text += padded(bytes.readUInt32BE(at), GROUP);
      }
      if (lastDigits > 0) text += padded(bytes.readUIntBE(at, lastBytes), lastDigits);
    }
    return `'${negative ? '-' : ''}${text}'`;
  };
}
