import { expect } from 'chai';
import { join } from 'node:path';

import type { BinlogEvent, RowImages, Value } from '../../lib/binlog/binlog-events';
import type { BinlogStreamOptions } from '../../lib/binlog/binlog-stream';
import { BinlogFixture, rowsOf } from '../support/binlog/fixture';
import { availableFlavors, type Flavor } from '../support/servers';

interface Setting {
  readonly name: string;
  readonly flavor?: Flavor;
  /** Before the writes, and after them. */
  readonly on: readonly string[];
  readonly off: readonly string[];
  /** Images lack what did not change. */
  readonly lacking?: true;
}

const session = (variable: string, value: string, more: Partial<Setting> = {}): Setting => ({
  name: `${variable} = ${value}`,
  on: [`SET SESSION ${variable} = '${value}'`],
  off: [`SET SESSION ${variable} = DEFAULT`],
  ...more,
});

const SETTINGS: readonly Setting[] = [
  { name: 'the usual settings', on: [], off: [] },
  session('binlog_row_image', 'MINIMAL', { lacking: true }),
  session('binlog_row_image', 'NOBLOB'),
  session('binlog_transaction_compression', 'ON', { flavor: 'mysql' }),
  session('binlog_row_value_options', 'PARTIAL_JSON', { flavor: 'mysql' }),
  {
    name: 'partial JSON, minimal images and compression together',
    flavor: 'mysql',
    on: [
      "SET SESSION binlog_row_value_options = 'PARTIAL_JSON', binlog_row_image = 'MINIMAL', binlog_transaction_compression = 'ON'",
    ],
    off: [
      'SET SESSION binlog_row_value_options = DEFAULT, binlog_row_image = DEFAULT, binlog_transaction_compression = DEFAULT',
    ],
    lacking: true,
  },
  {
    name: 'log_bin_compress',
    flavor: 'mariadb',
    on: ['SET GLOBAL log_bin_compress = ON, log_bin_compress_min_len = 10'],
    off: ['SET GLOBAL log_bin_compress = OFF'],
  },
  ...['FULL', 'MINIMAL'].map((value) => ({
    name: `binlog_row_metadata = ${value}, and no longer`,
    on: [`SET GLOBAL binlog_row_metadata = ${value}`],
    off: ['SET GLOBAL binlog_row_metadata = DEFAULT'],
  })),
  {
    name: 'binlog_checksum = NONE, and no longer',
    on: ['SET GLOBAL binlog_checksum = NONE'],
    off: ["SET GLOBAL binlog_checksum = 'CRC32'"],
  },
  {
    name: 'binlog_rows_query_log_events',
    flavor: 'mysql',
    on: ['SET SESSION binlog_rows_query_log_events = ON'],
    off: ['SET SESSION binlog_rows_query_log_events = OFF'],
  },
  {
    name: 'binlog_annotate_row_events',
    flavor: 'mariadb',
    on: ['SET SESSION binlog_annotate_row_events = ON'],
    off: ['SET SESSION binlog_annotate_row_events = DEFAULT'],
  },
  {
    name: 'named and tagged transactions',
    flavor: 'mysql',
    on: ["SET SESSION gtid_next = 'AUTOMATIC:lhm'"],
    off: ["SET SESSION gtid_next = 'AUTOMATIC'"],
  },
];

const ARGS = {
  mysql: ['--max-allowed-packet=256M', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--max-allowed-packet=256M'],
} as const;

const TLS = [
  ['ca', 'ca.pem'],
  ['cert', 'server-cert.pem'],
  ['key', 'server-key.pem'],
].map(([option, file]) => `--ssl-${option!}=${join(__dirname, '../support/tls', file!)}`);

type Change = { action: string } & RowImages;

function changes(events: readonly BinlogEvent[], table: string): Change[] {
  return rowsOf(events, table).flatMap(({ action, rows }) => rows.map((row) => ({ action, ...row })));
}

/** What is lacking is taken over from the row as it was. */
function filled(list: readonly Change[]): Change[] {
  const rows = new Map<Value, readonly Value[]>();
  return list.map(({ action, before, after }) => {
    const known = before === undefined ? undefined : rows.get(before[0]);
    const was = before?.map((value, at) => (value === undefined ? known?.[at] : value));
    const is = after?.map((value, at) => (value === undefined ? was?.[at] : value));
    if (was !== undefined) rows.delete(was[0]);
    if (is !== undefined) rows.set(is[0], is);
    return {
      action,
      ...(was === undefined ? {} : { before: was }),
      ...(is === undefined ? {} : { after: is }),
    };
  });
}

for (const flavor of availableFlavors()) {
  describe(`the binary log of ${flavor}, however it is written`, function () {
    this.timeout(240_000);
    let fixture: BinlogFixture;

    before(async () => {
      fixture = await BinlogFixture.start(flavor, ARGS[flavor]);
      await fixture.query(
        'CREATE TABLE t (g INT AS (n + 1) VIRTUAL, name VARCHAR(50), doc JSON, doc2 JSON, n INT UNSIGNED, big LONGTEXT,' +
          ' tail BINARY(4), id BIGINT UNSIGNED NOT NULL PRIMARY KEY) ENGINE = InnoDB',
      );
    });

    after(() => fixture.end());

    const name = (text: string): Value => `_utf8mb4 X'${Buffer.from(text).toString('hex')}'`;
    const tail = (hex: string): Value => `X'${hex}'`;

    async function write(): Promise<Change[]> {
      await fixture.query('BEGIN');
      await fixture.query(
        `INSERT INTO t (id, name, n, doc, doc2, tail, big) VALUES` +
          ` (1, 'one', 1, '{"a": 1, "b": [1, 2]}', '{"x": "yyyyyyyyyyyyyyyyyyyy"}', X'01', REPEAT('a', 100)),` +
          ` (18446744073709551615, 'most', 2, '{"a": 2}', NULL, X'02', NULL)`,
      );
      await fixture.query(`UPDATE t SET doc = JSON_SET(doc, '$.a', 3), doc2 = JSON_SET(doc2, '$.x', 1)`);
      await fixture.query('COMMIT');
      await fixture.query("UPDATE t SET name = 'uno', n = 7 WHERE id = 1");
      await fixture.query('UPDATE t SET id = 2 WHERE id = 18446744073709551615');
      await fixture.query('DELETE FROM t');
      const one = ['1', name('one'), tail('01')];
      const most = ['18446744073709551615', name('most'), tail('02')];
      const uno = ['1', name('uno'), tail('01')];
      const two = ['2', name('most'), tail('02')];
      return [
        { action: 'insert', after: one },
        { action: 'insert', after: most },
        { action: 'update', before: one, after: one },
        { action: 'update', before: most, after: most },
        { action: 'update', before: one, after: uno },
        { action: 'update', before: most, after: two },
        { action: 'delete', before: uno },
        { action: 'delete', before: two },
      ];
    }

    async function comes(setting: Setting, options: Partial<BinlogStreamOptions> = {}): Promise<void> {
      const stream = await fixture.stream(
        [await fixture.table('t', ['id', 'name', 'tail'])],
        await fixture.position(),
        options,
      );
      const expected = await write();
      for (const sql of setting.on) await fixture.query(sql);
      expected.push(...(await write()));
      for (const sql of setting.off) await fixture.query(sql);
      expected.push(...(await write()));
      const events = await fixture.upTo(stream, await fixture.mark());
      stream.close();
      expect(events.filter(({ kind }) => kind === 'altered')).to.deep.equal([]);
      const got = changes(events, 't');
      expect(filled(got)).to.deep.equal(expected);
      // The key is in every image that finds the row.
      for (const { before, after } of got) expect((before ?? after)?.[0]).to.be.a('string');
      const lacks = got.some(({ before, after }) =>
        [...(before ?? []), ...(after ?? [])].includes(undefined),
      );
      expect(lacks).to.equal(setting.lacking === true);
    }

    for (const setting of SETTINGS.filter((one) => one.flavor === undefined || one.flavor === flavor)) {
      it(`with ${setting.name}`, () => comes(setting));
    }

    it('names the transactions', async () => {
      const stream = await fixture.stream([await fixture.table('t', ['id'])], await fixture.position());
      await fixture.query('INSERT INTO t (id) VALUES (1)');
      const events = await fixture.upTo(stream, await fixture.mark());
      stream.close();
      const commit = events.find((event) => event.kind === 'commit');
      expect(commit?.position.gtid).to.match(
        flavor === 'mysql' ? /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:\d+$/ : /^0-\d+-\d+$/,
      );
      await fixture.query('DELETE FROM t');
    });

    describe('rows beyond 16 MB', () => {
      const ways: readonly Setting[] = SETTINGS.filter(
        (one) => one.flavor !== (flavor === 'mysql' ? 'mariadb' : 'mysql') && /usual|compress/.test(one.name),
      );
      /** Bytes of a value with which the event fills a packet, so that an empty one follows. */
      async function full(): Promise<number> {
        const { file, offset } = await fixture.position();
        await fixture.query("INSERT INTO t (id, big, name) VALUES (3, REPEAT('x', 17000000), 'behind')");
        const events = await fixture.query<{ Event_type: string; Pos: number; End_log_pos: number }>(
          `SHOW BINLOG EVENTS IN '${file}' FROM ${offset}`,
        );
        await fixture.query('DELETE FROM t');
        const event = events.find(({ Event_type }) => Event_type.startsWith('Write_rows'));
        return event === undefined ? 17_000_000 : 17_000_000 + 16_777_214 - (event.End_log_pos - event.Pos);
      }

      for (const { name: how, on, off, lacking } of ways) {
        it(`with ${how}`, async () => {
          const longest = await full();
          const stream = await fixture.stream(
            [await fixture.table('t', ['id', 'big', 'name'])],
            await fixture.position(),
          );
          // Lengths about those at which a packet is full, and one that does not shrink.
          const sizes = [17_000_000, 16_777_215, 2 * 16_777_215, longest];
          for (const sql of on) await fixture.query(sql);
          for (const [at, size] of sizes.entries()) {
            await fixture.query(
              `INSERT INTO t (id, big, name) VALUES (${at}, REPEAT('x', ${size}), 'behind')`,
            );
          }
          await fixture.query('BEGIN');
          await fixture.query(
            "INSERT INTO t (id, big, name) VALUES (10, REPEAT(SHA2('y', 512), 150000), 'behind')",
          );
          await fixture.query('UPDATE t SET id = id + 100');
          await fixture.query('COMMIT');
          await fixture.query('DELETE FROM t');
          for (const sql of off) await fixture.query(sql);
          const got = changes(await fixture.upTo(stream, await fixture.mark()), 't');
          stream.close();
          expect(got.map(({ action }) => action)).to.deep.equal([
            ...[1, 2, 3, 4, 5].map(() => 'insert'),
            ...[1, 2, 3, 4, 5].map(() => 'update'),
            ...[1, 2, 3, 4, 5].map(() => 'delete'),
          ]);
          const lengths = [...sizes, 128 * 150_000].map((size) => size * 2 + "_utf8mb4 X''".length);
          for (const [at, { before, after }] of got.entries()) {
            for (const image of [before, after].filter((values) => values !== undefined)) {
              if (lacking === true && image[1] === undefined) continue;
              expect(image[1]).to.have.length(lengths[at % 5]!);
              expect(image[2]).to.equal(name('behind'));
            }
          }
        });
      }
    });

    it('reads past columns that are hidden, and refuses values that have no literal', async () => {
      const definition =
        flavor === 'mysql'
          ? 'CREATE TABLE h (v INT, doc JSON, id INT NOT NULL PRIMARY KEY, KEY k ((v * 2)), KEY m ((CAST(doc AS UNSIGNED ARRAY))))'
          : 'CREATE TABLE h (v INT, doc BLOB COMPRESSED, b BLOB, c VARCHAR(200) COMPRESSED, id INT NOT NULL PRIMARY KEY, UNIQUE u (b))';
      await fixture.query(definition);
      const stream = await fixture.stream([await fixture.table('h', ['id'])], await fixture.position());
      await fixture.query(`INSERT INTO h (v, doc, id) VALUES (1, '[1, 2]', 7), (2, '[3]', 8)`);
      await fixture.query(`UPDATE h SET id = id + 10, doc = '[4]'`);
      const got = changes(await fixture.upTo(stream, await fixture.mark()), 'h');
      expect(got.map(({ before, after }) => [before?.[0], after?.[0]])).to.deep.equal([
        [undefined, '7'],
        [undefined, '8'],
        ['7', '17'],
        ['8', '18'],
      ]);
      stream.close();
      const asking = await fixture.stream([await fixture.table('h', ['doc'])], await fixture.position());
      await fixture.query('DELETE FROM h');
      const error = await fixture.upTo(asking, await fixture.mark()).then(
        () => null,
        (why: unknown) => why,
      );
      expect(error).to.have.property('code', 'LHM_BINLOG_UNREADABLE');
      expect((error as Error).message).to.contain("'doc'");
      await fixture.query('DROP TABLE h');
    });

    it('reads statements with what belongs to them', async () => {
      await fixture.query(
        'CREATE TABLE s (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v DOUBLE, w VARCHAR(50)) ENGINE = InnoDB',
      );
      const stream = await fixture.stream([await fixture.table('s')], await fixture.position());
      await fixture.query("SET SESSION binlog_format = 'STATEMENT', @given = 'ü'");
      await fixture.query('INSERT INTO s (v, w) VALUES (RAND(), @given)');
      await fixture.query('SET NAMES latin1');
      await fixture.query('CREATE TABLE `x` (`w` INT)');
      await fixture.query('SET NAMES utf8mb4');
      await fixture.query("SET SESSION binlog_format = 'ROW'");
      const events = await fixture.upTo(stream, await fixture.mark());
      stream.close();
      const sql = events.flatMap((event) => (event.kind === 'statement' ? [event.sql] : []));
      expect(sql).to.deep.equal([
        'INSERT INTO s (v, w) VALUES (RAND(), @given)',
        'CREATE TABLE `x` (`w` INT)',
      ]);
      await fixture.query('DROP TABLE s, x');
    });

    if (flavor === 'mariadb') {
      it('reads the older formats of times', async () => {
        await fixture.query('SET GLOBAL mysql56_temporal_format = OFF');
        const digits = [0, 1, 2, 3, 4, 5, 6];
        const types = digits.flatMap((n) => [
          `d${n} DATETIME(${n})`,
          `s${n} TIMESTAMP(${n}) NULL`,
          `t${n} TIME(${n})`,
        ]);
        await fixture.query(`CREATE TABLE old (id INT NOT NULL PRIMARY KEY, ${types.join(', ')})`);
        await fixture.query('CREATE TABLE new LIKE old');
        await fixture.query('SET GLOBAL mysql56_temporal_format = ON');
        const stream = await fixture.stream([await fixture.table('old')], await fixture.position());
        await fixture.query("SET time_zone = '+03:00'");
        const rows = [
          ["'2024-03-10 02:30:00.123456'", "'2024-11-03 05:30:00.654321'", "'-12:34:56.789012'"],
          ["'9999-12-31 23:59:59.999999'", "'2038-01-19 06:14:07'", "'838:59:59'"],
          ["'1000-01-01 00:00:00'", "'1970-01-01 03:00:01'", "'-838:59:59'"],
          ["'1969-12-31 23:59:59.000001'", "'2001-09-09 01:46:40.000001'", "'-00:00:00.000001'"],
          ['NULL', 'NULL', 'NULL'],
        ];
        for (const [id, values] of rows.entries()) {
          await fixture.query(`INSERT INTO old VALUES (${id}, ${digits.flatMap(() => values).join(', ')})`);
        }
        const got = changes(await fixture.upTo(stream, await fixture.mark()), 'old');
        stream.close();
        expect(got).to.have.length(rows.length);
        await fixture.query("SET time_zone = '+00:00'");
        for (const { after } of got) {
          await fixture.query(
            `INSERT INTO new VALUES (${after!.map((value) => value ?? 'NULL').join(', ')})`,
          );
        }
        const [old, copied] = [
          await fixture.query('SELECT * FROM old ORDER BY id'),
          await fixture.query('SELECT * FROM new ORDER BY id'),
        ];
        expect(copied).to.deep.equal(old);
        await fixture.query('DROP TABLE old, new');
      });
    }
  });

  describe(`the binary log of ${flavor}, over other connections`, function () {
    this.timeout(240_000);
    for (const [how, more] of [
      ['TLS', { ssl: { rejectUnauthorized: false } }],
      ['compressed packets', { compress: true }],
    ] as const) {
      it(how, async function () {
        const fixture = await BinlogFixture.start(flavor, TLS, more);
        try {
          await fixture.query('CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v LONGTEXT) ENGINE = InnoDB');
          const stream = await fixture.stream([await fixture.table('t', ['id'])], await fixture.position(), {
            bufferBytes: 64 * 1024,
          });
          for (let n = 0; n < 50; n++) {
            await fixture.query(
              `INSERT INTO t VALUES (${n}, REPEAT('x', 100000)), (${n + 1000}, REPEAT(SHA2(${n}, 256), 100))`,
            );
          }
          const got = changes(await fixture.upTo(stream, await fixture.mark()), 't');
          expect(got).to.have.length(100);
          stream.close();
          for (let round = 0; round < 100; round++) {
            const list = await fixture.query<{ Command: string }>('SHOW PROCESSLIST');
            if (!list.some(({ Command }) => Command === 'Binlog Dump')) return;
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          expect.fail('the server still sends');
        } finally {
          await fixture.end();
        }
      });
    }
  });
}
