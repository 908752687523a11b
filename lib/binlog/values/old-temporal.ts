import { dateText, utcText } from './temporal';
import { padded, type ValueReader } from './value-reader';

/**
 * The formats of MariaDB tables made with mysql56_temporal_format=OFF, and of tables older than MySQL 5.6. Of those with a fraction
 * the log does not tell how many digits there are, so that must come from the column's definition.
 */
interface Format {
  readonly bytes: number;
  readonly read: ValueReader;
}

/** Bytes of the fraction beside a whole number of seconds. */
const FRACTION_BYTES = [0, 1, 1, 2, 2, 3, 3] as const;
const DATETIME_BYTES = [8, 6, 6, 7, 7, 7, 8] as const;
const TIME_BYTES = [3, 4, 4, 5, 5, 5, 6] as const;

/** TIME's values are counted from −839 hours there, so that none is negative. */
const TIME_ORIGIN_HOURS = 839;

const power = (digits: number): number => 10 ** digits;
const unit = (digits: number): bigint => 10n ** BigInt(digits);

function bigEndian(b: Buffer, at: number, bytes: number): bigint {
  return BigInt(`0x${b.toString('hex', at, at + bytes)}`);
}

function fractionText(value: number, digits: number): string {
  return digits === 0 ? '' : `.${padded(value, digits)}`;
}

export function oldTimestamp(digits: number): Format {
  const fraction = FRACTION_BYTES[digits] ?? 0;
  if (fraction === 0) return { bytes: 4, read: (b, at) => `'${utcText(b.readUInt32LE(at))}'` };
  return {
    bytes: 4 + fraction,
    read: (b, at) =>
      `'${utcText(b.readUInt32BE(at))}${fractionText(b.readUIntBE(at + 4, fraction), digits)}'`,
  };
}

/** Without a fraction the digits of yyyymmddhhmmss as one number; with one, a number of mixed radix. */
export function oldDatetime(digits: number): Format {
  const bytes = DATETIME_BYTES[digits] ?? 8;
  if (digits === 0) {
    return {
      bytes,
      read: (b, at) => {
        const d = b.readBigUInt64LE(at).toString().padStart(14, '0');
        return `'${d.slice(0, 4)}-${d.slice(4, 6)}-${d.slice(6, 8)} ${d.slice(8, 10)}:${d.slice(10, 12)}:${d.slice(12)}'`;
      },
    };
  }
  return {
    bytes,
    read: (b, at) => {
      const value = bigEndian(b, at, bytes);
      const fraction = Number(value % unit(digits));
      let rest = Number(value / unit(digits));
      const take = (radix: number): number => {
        const part = rest % radix;
        rest = Math.floor(rest / radix);
        return part;
      };
      const [second, minute, hour, day, month] = [take(60), take(60), take(24), take(32), take(13)];
      const clock = [hour, minute, second].map((part) => padded(part, 2)).join(':');
      return `'${dateText(rest, month, day)} ${clock}${fractionText(fraction, digits)}'`;
    },
  };
}

/** Without a fraction the digits of hhmmss as one signed number; with one, units since −839 hours. */
export function oldTime(digits: number): Format {
  const bytes = TIME_BYTES[digits] ?? 3;
  return {
    bytes,
    read: (b, at) => {
      if (digits === 0) {
        const value = b.readIntLE(at, 3);
        const d = padded(Math.abs(value), 6);
        return `'${value < 0 ? '-' : ''}${d.slice(0, -4)}:${d.slice(-4, -2)}:${d.slice(-2)}'`;
      }
      const units = b.readUIntBE(at, bytes) - TIME_ORIGIN_HOURS * 3600 * power(digits);
      const value = Math.abs(units);
      const seconds = Math.floor(value / power(digits));
      const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
      const clock = parts.map((part) => padded(part, 2)).join(':');
      return `'${units < 0 ? '-' : ''}${clock}${fractionText(value % power(digits), digits)}'`;
    },
  };
}
