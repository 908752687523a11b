import { expect } from 'chai';
import fc from 'fast-check';

import { columnLayout } from '../../lib/binlog/column-layout';
import { FieldType } from '../../lib/binlog/field-types';

interface Case {
  readonly type: keyof typeof FieldType;
  readonly metadata?: number;
  readonly columnType?: string;
  readonly charset?: string;
  readonly hex: string;
  readonly literal: string;
}

/** The literal of these bytes, with their length before them where the type has one. */
function read({ type, metadata = 0, columnType = type, charset, hex }: Case): string {
  const dataType = /^\w+/.exec(columnType)![0];
  const facts = { name: 'v', dataType, columnType, charset: charset ?? null };
  const layout = columnLayout(FieldType[type], metadata, facts);
  const bytes = Buffer.from(hex, 'hex');
  if (layout.fixed >= 0) expect(bytes, 'bytes of the type').to.have.length(layout.fixed);
  // In the middle of others, as in a row.
  const row = Buffer.concat([Buffer.from([0xee, 0xee]), bytes, Buffer.from([0xee])]);
  return layout.read!(row, 2, 2 + bytes.length);
}

const CASES: readonly Case[] = [
  { type: 'tiny', hex: '80', literal: '-128' },
  { type: 'tiny', columnType: 'tinyint unsigned', hex: '80', literal: '128' },
  { type: 'tiny', columnType: 'tinyint(3) unsigned zerofill', hex: 'ff', literal: '255' },
  { type: 'short', hex: '0080', literal: '-32768' },
  { type: 'int24', hex: 'ffffff', literal: '-1' },
  { type: 'int24', columnType: 'mediumint unsigned', hex: 'ffffff', literal: '16777215' },
  { type: 'long', hex: 'feffffff', literal: '-2' },
  { type: 'longlong', hex: '0100000000002000', literal: '9007199254740993' },
  {
    type: 'longlong',
    columnType: 'bigint unsigned',
    hex: 'ffffffffffffffff',
    literal: '18446744073709551615',
  },
  { type: 'float', hex: '00000080', literal: '-0e0' },
  { type: 'double', hex: '9a9999999999b93f', literal: '0.1e0' },
  { type: 'double', hex: 'ffffffffffffef7f', literal: '1.7976931348623157e+308' },
  { type: 'newDecimal', metadata: (10 << 8) | 4, hex: '8004d210e1', literal: "'1234.4321'" },
  { type: 'newDecimal', metadata: (10 << 8) | 4, hex: '7ffb2def1e', literal: "'-1234.4321'" },
  { type: 'newDecimal', metadata: (14 << 8) | 4, hex: '810dfb38d204d2', literal: "'1234567890.1234'" },
  { type: 'newDecimal', metadata: (1 << 8) | 1, hex: '80', literal: "'0.0'" },
  { type: 'year', hex: '00', literal: '0' },
  { type: 'year', hex: 'ff', literal: '2155' },
  { type: 'date', hex: '5dd00f', literal: "'2024-02-29'" },
  { type: 'date', hex: '000000', literal: "'0000-00-00'" },
  { type: 'datetime2', metadata: 6, hex: '8000000000000000', literal: "'0000-00-00 00:00:00.000000'" },
  { type: 'datetime2', metadata: 3, hex: '99b2d42790' + '04ce', literal: "'2024-03-10 02:30:16.123'" },
  { type: 'timestamp2', metadata: 0, hex: '00000001', literal: "'1970-01-01 00:00:01'" },
  { type: 'timestamp2', metadata: 2, hex: 'ffffffff' + '63', literal: "'2106-02-07 06:28:15.99'" },
  { type: 'timestamp2', metadata: 0, hex: '00000000', literal: "'0000-00-00 00:00:00'" },
  { type: 'time2', metadata: 0, hex: '800000', literal: "'00:00:00'" },
  { type: 'time2', metadata: 0, hex: '7fffff', literal: "'-00:00:01'" },
  { type: 'time2', metadata: 2, hex: '7fffffff', literal: "'-00:00:00.01'" },
  { type: 'time2', metadata: 6, hex: '7fffff' + 'ffffff', literal: "'-00:00:00.000001'" },
  { type: 'time', columnType: 'time', hex: '40e201', literal: "'12:34:56'" },
  { type: 'time', columnType: 'time', hex: 'c01dfe', literal: "'-12:34:56'" },
  { type: 'datetime', columnType: 'datetime', hex: '0000000000000000', literal: "'0000-00-00 00:00:00'" },
  { type: 'timestamp', columnType: 'timestamp', hex: '01000000', literal: "'1970-01-01 00:00:01'" },
  { type: 'bit', metadata: (1 << 8) | 2, hex: '0201', literal: '513' },
  { type: 'bit', metadata: 8 << 8, hex: 'ffffffffffffffff', literal: '18446744073709551615' },
  { type: 'enum', metadata: 2, hex: '2c01', literal: '300' },
  { type: 'set', metadata: 8, hex: '0100000000000080', literal: '9223372036854775809' },
  {
    type: 'varchar',
    columnType: 'varchar(9)',
    metadata: 36,
    charset: 'utf8mb4',
    hex: 'c3a9',
    literal: "_utf8mb4 X'c3a9'",
  },
  { type: 'varchar', columnType: 'varchar(9)', metadata: 36, charset: 'utf8mb4', hex: '', literal: "''" },
  { type: 'string', columnType: 'binary(4)', metadata: 4, hex: '00ff', literal: "X'00ff'" },
  {
    type: 'string',
    columnType: 'uuid',
    metadata: 16,
    hex: '123e4567e89b12d3a456426614174000',
    literal: "'123e4567-e89b-12d3-a456-426614174000'",
  },
  {
    type: 'string',
    columnType: 'uuid',
    metadata: 16,
    hex: '12',
    literal: "'12000000-0000-0000-0000-000000000000'",
  },
  { type: 'string', columnType: 'inet4', metadata: 4, hex: '0a', literal: "'10.0.0.0'" },
  {
    type: 'string',
    columnType: 'inet6',
    metadata: 16,
    hex: '20010db8',
    literal: "'2001:0db8:0000:0000:0000:0000:0000:0000'",
  },
  { type: 'blob', columnType: 'text', metadata: 2, charset: 'latin1', hex: '27', literal: "_latin1 X'27'" },
  { type: 'blob', columnType: 'blob', metadata: 2, hex: '27', literal: "X'27'" },
];

describe('values out of the log', () => {
  for (const one of CASES) {
    it(`${one.columnType ?? one.type} ${one.metadata ?? ''} ${one.hex || 'nothing'} is ${one.literal}`, () => {
      expect(read(one)).to.equal(one.literal);
    });
  }

  it('every number comes back from its digits', () => {
    const long = Buffer.alloc(8);
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        long.writeBigInt64LE(value);
        return read({ type: 'longlong', hex: long.toString('hex'), literal: '' }) === String(value);
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        long.writeDoubleLE(value);
        const literal = read({ type: 'double', hex: long.toString('hex'), literal: '' });
        return /e/.test(literal) && Object.is(Number(literal), value);
      }),
    );
  });

  it('a type that is not known is refused; one without a literal can be passed over', () => {
    const facts = { name: 'v', dataType: 'new', columnType: 'new(1)', charset: null };
    expect(() => columnLayout(200, 0, facts)).to.throw(
      "column 'v' is of a type that is not known (200, new(1))",
    );
    for (const type of [FieldType.json, FieldType.compressedBlob, FieldType.compressedVarchar]) {
      expect(columnLayout(type, 4, facts)).to.include({ fixed: -1, read: null });
    }
  });
});
