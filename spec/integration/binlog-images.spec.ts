import { expect } from 'chai';

import type { BinlogEvent, RowImages } from '../../lib/binlog/binlog-events';
import type { StreamedTable } from '../../lib/binlog/streamed-table';
import { BinlogFixture, rowsOf } from '../support/binlog/fixture';
import { availableFlavors } from '../support/servers';

const rowsIn = (events: readonly BinlogEvent[], table = 't'): RowImages[] =>
  rowsOf(events, table).flatMap(({ rows }) => [...rows]);

for (const flavor of availableFlavors()) {
  describe(`row images of ${flavor}`, function () {
    this.timeout(180_000);
    let fixture: BinlogFixture;
    let table: StreamedTable;

    before(async () => {
      fixture = await BinlogFixture.start(flavor);
      await fixture.query(
        'CREATE TABLE t (a INT NOT NULL, b VARCHAR(20) NOT NULL, n INT NULL, doc TEXT NULL, PRIMARY KEY (b, a)) ENGINE = InnoDB',
      );
      table = await fixture.table('t', ['a', 'b', 'n', 'doc']);
    });

    after(() => fixture.end());

    /** What is told of these statements. */
    async function told(
      statements: readonly string[],
      tables: readonly StreamedTable[] = [table],
    ): Promise<BinlogEvent[]> {
      const stream = await fixture.stream(tables, await fixture.position());
      for (const statement of statements) await fixture.query(statement);
      const events = await fixture.upTo(stream, await fixture.mark());
      stream.close();
      return events;
    }

    const STATEMENTS = [
      "INSERT INTO t VALUES (1, 'x', 5, 'doc')",
      'UPDATE t SET n = 6',
      "UPDATE t SET a = 2, doc = 'other'",
      'DELETE FROM t',
    ];
    const b = "_utf8mb4 X'78'";
    const doc = `_utf8mb4 X'${Buffer.from('doc').toString('hex')}'`;
    const other = `_utf8mb4 X'${Buffer.from('other').toString('hex')}'`;
    const none = undefined;
    const full: readonly RowImages[] = [
      { after: ['1', b, '5', doc] },
      { before: ['1', b, '5', doc], after: ['1', b, '6', doc] },
      { before: ['1', b, '6', doc], after: ['2', b, '6', other] },
      { before: ['2', b, '6', other] },
    ];
    const IMAGES: Readonly<Record<string, readonly RowImages[]>> = {
      FULL: full,
      MINIMAL: [
        { after: ['1', b, '5', doc] },
        { before: ['1', b, none, none], after: [none, none, '6', none] },
        { before: ['1', b, none, none], after: ['2', none, none, other] },
        { before: ['2', b, none, none] },
      ],
      NOBLOB: [
        { after: ['1', b, '5', doc] },
        { before: ['1', b, '5', none], after: ['1', b, '6', none] },
        { before: ['1', b, '6', none], after: ['2', b, '6', other] },
        { before: ['2', b, '6', none] },
      ],
    };

    for (const [image, expected] of Object.entries(IMAGES)) {
      it(`${image}: a column that the image lacks is undefined, and never NULL`, async () => {
        await fixture.query(`SET SESSION binlog_row_image = '${image}'`);
        try {
          expect(rowsIn(await told(STATEMENTS))).to.deep.equal(expected);
        } finally {
          await fixture.query("SET SESSION binlog_row_image = 'FULL'");
        }
      });
    }

    it('more columns than one byte has bits, NULL and not, wanted and not', async () => {
      const numbers = Array.from({ length: 70 }, (_, n) => n);
      await fixture.query(
        `CREATE TABLE wide (${numbers.map((n) => `c${n} ${n % 3 === 0 ? 'INT' : n % 3 === 1 ? 'VARCHAR(300)' : 'DECIMAL(20,3)'} NULL`).join(', ')}, id INT PRIMARY KEY)`,
      );
      const wide = await fixture.table('wide', ['c69', 'id', 'c8', 'c0', 'c64']);
      const value = (n: number): string => (n % 5 === 4 ? 'NULL' : String(n));
      const events = await told(
        [
          `INSERT INTO wide VALUES (${numbers.map(value).join(', ')}, 7)`,
          "SET SESSION binlog_row_image = 'MINIMAL'",
          'UPDATE wide SET c64 = NULL, c8 = 1.5',
          "SET SESSION binlog_row_image = 'FULL'",
        ],
        [wide],
      );
      expect(rowsIn(events, 'wide')).to.deep.equal([
        { after: [null, '7', "'8.000'", '0', null] },
        { before: [none, '7', none, none, none], after: [none, none, "'1.500'", none, null] },
      ]);
    });

    it('columns that information_schema does not tell of are no alteration', async () => {
      await fixture.query(
        flavor === 'mysql'
          ? 'CREATE TABLE hidden (id INT PRIMARY KEY, v INT, KEY ((v + 1)), g INT AS (v + 1) VIRTUAL, s INT AS (v * 2) STORED)'
          : 'CREATE TABLE hidden (id INT PRIMARY KEY, v INT, b BLOB, UNIQUE (b), g INT AS (v + 1) VIRTUAL, s INT AS (v * 2) STORED)',
      );
      const hidden = await fixture.table('hidden', ['id', 'v', 's']);
      const events = await told(
        ['INSERT INTO hidden (id, v) VALUES (1, 3)', 'UPDATE hidden SET v = 4', 'DELETE FROM hidden'],
        [hidden],
      );
      expect(events.filter(({ kind }) => kind === 'altered')).to.deep.equal([]);
      expect(rowsIn(events, 'hidden')).to.deep.equal([
        { after: ['1', '3', '6'] },
        { before: ['1', '3', '6'], after: ['1', '4', '8'] },
        { before: ['1', '4', '8'] },
      ]);
    });

    const [on, off] =
      flavor === 'mysql'
        ? [
            'SET SESSION binlog_transaction_compression = ON',
            'SET SESSION binlog_transaction_compression = OFF',
          ]
        : [
            'SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10',
            'SET GLOBAL log_bin_compress = OFF',
          ];

    it('compressed transactions of many events and megabytes, begun again in the middle', async () => {
      await fixture.query('CREATE TABLE many (id INT PRIMARY KEY, v VARCHAR(2000)) CHARACTER SET latin1');
      const from = await fixture.position();
      await fixture.query(on);
      await fixture.query('BEGIN');
      for (let n = 0; n < 10; n++) {
        const rows = Array.from({ length: 1000 }, (_, m) => `(${n * 1000 + m}, REPEAT('${n}', 1500))`);
        await fixture.query(`INSERT INTO many VALUES ${rows.join(', ')}`);
      }
      await fixture.query('COMMIT');
      await fixture.query(off);
      const mark = await fixture.mark();
      const many = await fixture.table('many');
      const broken = await fixture.stream([many], from);
      let batch = (await broken.next())!;
      while (batch.rows < 100) batch = (await broken.next())!;
      broken.close();
      const stream = await fixture.stream([many], batch.position);
      const events = await fixture.upTo(stream, mark);
      stream.close();
      const rows = rowsIn(events, 'many');
      expect(rows.map(({ after }) => Number(after![0]))).to.deep.equal(
        Array.from({ length: 10_000 }, (_, n) => n),
      );
      for (const { after } of rows) {
        const digit = Buffer.from(String(Math.floor(Number(after![0]) / 1000))).toString('hex');
        expect(after![1]).to.equal(`_latin1 X'${digit.repeat(1500)}'`);
      }
      expect(events.map(({ kind }) => kind).filter((kind) => kind !== 'rows')).to.deep.equal([
        ...['begin', 'commit'],
      ]);
    });
  });
}
