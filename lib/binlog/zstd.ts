import * as zlib from 'node:zlib';
import { decompress as decompressInScript, Decompress } from 'fzstd';

/** Node has it from 22.15 on. */
interface Native {
  zstdDecompressSync?(data: Buffer, options: { maxOutputLength: number }): Buffer;
  createZstdDecompress?(): NodeJS.ReadWriteStream & AsyncIterable<Buffer>;
}

const native = zlib as Native;

/** Up to this many bytes a transaction is unpacked at once. */
const AT_ONCE = 4 * 1024 * 1024;
/** Bytes taken in at once: text that repeats itself becomes a thousand times as long. */
const SLICE = 4 * 1024;

/** The data in pieces. `size`: bytes of all of it. */
export function decompress(data: Buffer, size: number): Iterable<Buffer> | AsyncIterable<Buffer> {
  return native.zstdDecompressSync === undefined ? inScript(data, size) : natively(data, size);
}

function natively(data: Buffer, size: number): Iterable<Buffer> | AsyncIterable<Buffer> {
  if (size <= AT_ONCE && native.zstdDecompressSync !== undefined) {
    return [native.zstdDecompressSync(data, { maxOutputLength: Math.max(size, 1) })];
  }
  const stream = native.createZstdDecompress?.();
  if (stream === undefined) return inScript(data, size);
  stream.end(data);
  return stream;
}

function inScript(data: Buffer, size: number): Iterable<Buffer> {
  if (size > AT_ONCE) return slices(data);
  const whole = decompressInScript(data, new Uint8Array(size));
  return [view(whole)];
}

function* slices(data: Buffer): Generator<Buffer> {
  let out: Buffer[] = [];
  const stream = new Decompress((piece) => void out.push(view(piece)));
  for (let at = 0; at < data.length; at += SLICE) {
    stream.push(data.subarray(at, at + SLICE), at + SLICE >= data.length);
    yield* out;
    out = [];
  }
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const forSpecs = { inScript };
