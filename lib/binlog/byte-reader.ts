/** Reads one value after the other out of a buffer. Reading beyond the end throws a RangeError. */
export class ByteReader {
  constructor(
    readonly buffer: Buffer,
    public offset: number,
    readonly end: number,
  ) {}

  get left(): number {
    return this.end - this.offset;
  }

  /** An unsigned integer, least significant byte first; `bytes` up to 6. */
  uint(bytes: number): number {
    const at = this.skip(bytes);
    return this.buffer.readUIntLE(at, bytes);
  }

  /** An integer that tells its own length. */
  lengthEncoded(): number {
    const first = this.uint(1);
    if (first < 251) return first;
    if (first === 252) return this.uint(2);
    if (first === 253) return this.uint(3);
    return Number(this.buffer.readBigUInt64LE(this.skip(8)));
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const at = this.skip(length);
    return this.buffer.subarray(at, at + length);
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  text(length: number): string {
    const at = this.skip(length);
    return this.buffer.toString('utf8', at, at + length);
  }

  /** Returns where it was. */
  skip(bytes: number): number {
    const at = this.offset;
    if (at + bytes > this.end) throw new RangeError(`an event ends ${at + bytes - this.end} bytes too early`);
    this.offset = at + bytes;
    return at;
  }
}
