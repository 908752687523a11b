import { padded, type ValueReader } from './value-reader';

/** Bytes that a fraction of a second takes: two digits a byte. */
export function fractionBytes(digits: number): number {
  return (digits + 1) >> 1;
}

function fraction(b: Buffer, at: number, digits: number): string {
  if (digits === 0) return '';
  const bytes = fractionBytes(digits);
  return `.${padded(b.readUIntBE(at, bytes), bytes * 2).slice(0, digits)}`;
}

function clockTime(hours: number, minutes: number, seconds: number): string {
  return `${padded(hours, 2)}:${padded(minutes, 2)}:${padded(seconds, 2)}`;
}

export function dateText(year: number, month: number, day: number): string {
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
}

export const date: ValueReader = (b, at) => {
  const value = b.readUIntLE(at, 3);
  return `'${dateText(value >> 9, (value >> 5) & 15, value & 31)}'`;
};

/** 40 bits: a sign that is always set, 17 of year × 13 + month, 5 of the day, 5, 6 and 6 of the time. */
export function datetime(digits: number): ValueReader {
  return (b, at) => {
    const value = b.readUIntBE(at, 5) - 0x80_0000_0000;
    const days = Math.floor(value / 0x2_0000);
    const time = value % 0x2_0000;
    const months = days >> 5;
    const day = dateText(Math.floor(months / 13), months % 13, days & 31);
    return `'${day} ${clockTime(time >> 12, (time >> 6) & 63, time & 63)}${fraction(b, at + 5, digits)}'`;
  };
}

const ZERO_TIMESTAMP = '0000-00-00 00:00:00';

/** Seconds since 1970 as text in UTC. 0 is the zero date: no TIMESTAMP is as old as 1970-01-01 00:00:00. */
export function utcText(seconds: number): string {
  if (seconds === 0) return ZERO_TIMESTAMP;
  const iso = new Date(seconds * 1000).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
}

export function timestamp(digits: number): ValueReader {
  return (b, at) => `'${utcText(b.readUInt32BE(at))}${fraction(b, at + 4, digits)}'`;
}

/** A signed number of 24 bits and the fraction's: 10 bits of hours, 6 and 6, then the fraction. */
export function time(digits: number): ValueReader {
  const bytes = fractionBytes(digits);
  const scale = 2 ** (8 * bytes);
  return (b, at) => {
    const signed = b.readUIntBE(at, 3 + bytes) - 0x80_0000 * scale;
    const value = Math.abs(signed);
    const whole = Math.floor(value / scale);
    const text = clockTime((whole >> 12) & 1023, (whole >> 6) & 63, whole & 63);
    const rest = digits === 0 ? '' : `.${padded(value % scale, bytes * 2).slice(0, digits)}`;
    return `'${signed < 0 ? '-' : ''}${text}${rest}'`;
  };
}
