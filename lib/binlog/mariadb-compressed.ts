import { inflateSync } from 'node:zlib';
import { unreadable } from './binlog-errors';

const ZLIB = 0;

/**
 * What MariaDB writes with log_bin_compress: a byte with the algorithm and the number of bytes in the length that follows,
 * most significant first, then the data.
 */
export function inflate(compressed: Buffer): Buffer {
  const head = compressed[0] ?? 0;
  const algorithm = (head & 0x70) >> 4;
  const lengthBytes = head & 0x07;
  if (algorithm !== ZLIB || lengthBytes < 1 || lengthBytes > 4) {
    throw unreadable(`an event is compressed in a way that is not known (${algorithm}).`);
  }
  const length = compressed.readUIntBE(1, lengthBytes);
  const data = inflateSync(compressed.subarray(1 + lengthBytes), { maxOutputLength: Math.max(length, 1) });
  if (data.length !== length) throw unreadable('a compressed event has not the length that it names.');
  return data;
}
