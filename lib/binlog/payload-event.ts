import { ByteReader } from './byte-reader';
import { unreadable } from './binlog-errors';
import { HEADER_BYTES } from './event-header';
import { decompress } from './zstd';

/** A whole transaction in one event, as MySQL writes it with binlog_transaction_compression. */
export interface Payload {
  readonly compressed: boolean;
  /** Of the events in it, in bytes. */
  readonly size: number;
  readonly data: Buffer;
}

const FIELD = { end: 0, size: 1, compression: 2, uncompressedSize: 3 } as const;
const ZSTD = 0;
const NONE = 255;

export function readPayload(event: Buffer, end: number): Payload {
  const reader = new ByteReader(event, HEADER_BYTES, end);
  let compression: number = NONE;
  let size: number | null = null;
  for (;;) {
    const field = reader.lengthEncoded();
    if (field === FIELD.end) break;
    const length = reader.lengthEncoded();
    const value = new ByteReader(reader.buffer, reader.offset, reader.offset + length);
    if (field === FIELD.compression) compression = value.lengthEncoded();
    if (field === FIELD.uncompressedSize) size = value.lengthEncoded();
    reader.skip(length);
  }
  if (compression !== ZSTD && compression !== NONE) {
    throw unreadable(`a transaction is compressed in a way that is not known (${compression}).`);
  }
  const data = reader.rest();
  return { compressed: compression === ZSTD, size: size ?? data.length, data };
}

/** The events of a payload, in pieces of bounded size: a transaction may be larger than memory. */
export async function* payloadEvents(payload: Payload): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  let pieces: Buffer[] = [];
  let have = 0;
  let seen = 0;
  for await (const piece of payload.compressed ? decompress(payload.data, payload.size) : [payload.data]) {
    seen += piece.length;
    pieces.push(piece);
    have += piece.length;
    // A long event is put together once, not with every piece of it that comes.
    if (have < needed(rest)) continue;
    const { events, left } = split(
      rest.length === 0 && pieces.length === 1 ? piece : Buffer.concat([rest, ...pieces]),
    );
    rest = left;
    pieces = [];
    have = rest.length;
    if (events.length > 0) yield events;
  }
  if (have > 0 || seen !== payload.size)
    throw unreadable('a compressed transaction has not the length that it names.');
}

const SIZE_AT = 9;

/** Bytes of the event that begins here. */
function needed(begun: Buffer): number {
  return begun.length < SIZE_AT + 4 ? 1 : begun.readUInt32LE(SIZE_AT);
}

function split(bytes: Buffer): { events: Buffer[]; left: Buffer } {
  const events: Buffer[] = [];
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const size = bytes.readUInt32LE(at + SIZE_AT);
    if (size < HEADER_BYTES) throw unreadable('an event in a compressed transaction has no length.');
    if (bytes.length - at < size) break;
    events.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { events, left: bytes.subarray(at) };
}
