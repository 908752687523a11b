import * as zlib from 'node:zlib';
import { HEADER_BYTES } from './event-header';

export const CHECKSUM_BYTES = 4;

/** The file was not closed yet when the event was read; the bit is not part of what the checksum covers. */
const IN_USE_FLAG = 0x01;
const FLAGS_AT = 17;

const TABLE = new Uint32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crcInScript(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Node has it from 20.15 on. */
export const crc32: (bytes: Buffer) => number =
  (zlib as { crc32?: (bytes: Buffer) => number }).crc32 ?? crcInScript;

export const forSpecs = { crcInScript };

/** Whether the last four bytes are the CRC32 of those before. */
export function checksumFits(event: Buffer): boolean {
  const end = event.length - CHECKSUM_BYTES;
  return end >= HEADER_BYTES && crc32(event.subarray(0, end)) === event.readUInt32LE(end);
}

/** The same for a format description, which the server may have marked as one of a file in use. */
export function descriptionFits(event: Buffer): boolean {
  if (checksumFits(event)) return true;
  const closed = Buffer.from(event);
  closed[FLAGS_AT] = (closed[FLAGS_AT] ?? 0) & ~IN_USE_FLAG;
  return checksumFits(closed);
}
