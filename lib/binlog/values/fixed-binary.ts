import type { ValueReader } from './value-reader';

/** The log lacks zeros at the end of MariaDB's UUID, INET6 and INET4, as it does of a BINARY. */
function hexOf(b: Buffer, start: number, end: number, bytes: number): string {
  return b.toString('hex', start, end).padEnd(bytes * 2, '0');
}

/** 32 hexadecimal digits as a UUID is written. */
export function uuidText(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export const uuid: ValueReader = (b, start, end) => `'${uuidText(hexOf(b, start, end, 16))}'`;

export const inet6: ValueReader = (b, start, end) => {
  const groups = hexOf(b, start, end, 16).match(/.{4}/g) ?? [];
  return `'${groups.join(':')}'`;
};

export const inet4: ValueReader = (b, start, end) =>
  `'${[0, 1, 2, 3].map((part) => (start + part < end ? b[start + part] : 0)).join('.')}'`;
