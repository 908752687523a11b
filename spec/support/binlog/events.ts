import { crc32 } from '../../../lib/binlog/checksum';

/** Events as a server would write them, made by hand. */
export class EventMaker {
  private logPos = 4;
  /** Whether events get a checksum. */
  checksums = true;

  make(type: number, body: Buffer, { flags = 0, logPos }: { flags?: number; logPos?: number } = {}): Buffer {
    const size = 19 + body.length + (this.checksums ? 4 : 0);
    this.logPos += size;
    const header = Buffer.alloc(19);
    header.writeUInt32LE(1_700_000_000, 0);
    header[4] = type;
    header.writeUInt32LE(1, 5);
    header.writeUInt32LE(size, 9);
    header.writeUInt32LE((logPos ?? this.logPos) % 2 ** 32, 13);
    header.writeUInt16LE(flags, 17);
    const event = Buffer.concat([header, body]);
    return this.checksums ? withChecksum(event) : event;
  }

  /** A format description, which tells whether there are checksums. */
  description(): Buffer {
    const body = Buffer.alloc(2 + 50 + 4 + 1 + 40 + 1);
    body.writeUInt16LE(4, 0);
    body[body.length - 1] = this.checksums ? 1 : 0;
    // The bytes of the checksum are always there.
    return this.checksums ? this.make(15, body) : this.make(15, Buffer.concat([body, Buffer.alloc(4)]));
  }

  rotate(file: string, offset: number, artificial = false): Buffer {
    const at = Buffer.alloc(8);
    at.writeBigUInt64LE(BigInt(offset));
    const event = this.make(
      4,
      Buffer.concat([at, Buffer.from(file)]),
      artificial ? { flags: 0x20, logPos: 0 } : {},
    );
    this.logPos = offset;
    return event;
  }

  query(sql: string, schema = 's', variables: Buffer = Buffer.alloc(0)): Buffer {
    const fixed = Buffer.alloc(13);
    fixed[8] = Buffer.byteLength(schema);
    fixed.writeUInt16LE(variables.length, 11);
    return this.make(
      2,
      Buffer.concat([fixed, variables, Buffer.from(schema), Buffer.alloc(1), Buffer.from(sql)]),
    );
  }

  xid(): Buffer {
    return this.make(16, Buffer.alloc(8));
  }

  anonymous(): Buffer {
    return this.make(34, Buffer.alloc(42));
  }

  /** A table of INT columns. */
  tableMap(id: number, schema: string, table: string, columns = 1, nullable = 0): Buffer {
    const tail = [columns, ...Array.from({ length: columns }, () => 3), 0, nullable];
    return this.make(19, Buffer.concat([tableId(id), name(schema), name(table), Buffer.from(tail)]));
  }

  /** One inserted row of INT columns. */
  insert(id: number, ...values: number[]): Buffer {
    const image = Buffer.alloc(1 + 4 * values.length);
    for (const [at, value] of values.entries()) image.writeInt32LE(value, 1 + 4 * at);
    return this.make(
      30,
      Buffer.concat([tableId(id), Buffer.from([2, 0, values.length, (1 << values.length) - 1]), image]),
    );
  }
}

function tableId(id: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntLE(id, 0, 6);
  return bytes;
}

function name(text: string): Buffer {
  return Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text), Buffer.alloc(1)]);
}

export function withChecksum(event: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(event));
  return Buffer.concat([event, sum]);
}
