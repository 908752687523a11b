import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';

/** A conversion that keeps `fits` as they are, and changes `lost` without an error. */
interface Conversion {
  readonly from: string;
  readonly to: string;
  readonly fits: readonly string[];
  readonly lost: readonly string[];
  readonly says: RegExp;
}

const POINT = /digits behind the point/;
const DIGITS = /more digits than/;
const FRACTION = /fractions of a second/;

const CONVERSIONS: readonly Conversion[] = [
  {
    from: 'DECIMAL(20,6)',
    to: 'DECIMAL(20,2)',
    fits: ['1.25', '-3'],
    lost: ['1.251', '-0.001'],
    says: POINT,
  },
  { from: 'DECIMAL(12,2)', to: 'INT', fits: ['7', '-7.00'], lost: ['7.01'], says: POINT },
  { from: 'DECIMAL(12,2)', to: 'DOUBLE', fits: ['0.1', '12345678.90'], lost: [], says: DIGITS },
  { from: 'DECIMAL(30,6)', to: 'DOUBLE', fits: ['0.1'], lost: ['123456789012345678.25'], says: DIGITS },
  { from: 'DECIMAL(12,3)', to: 'FLOAT', fits: ['0.1', '1.5'], lost: ['1234.567'], says: DIGITS },
  {
    from: 'BIGINT',
    to: 'DOUBLE',
    fits: ['9007199254740992', '-5'],
    lost: ['9007199254740993'],
    says: DIGITS,
  },
  { from: 'INT', to: 'FLOAT', fits: ['123456', '-16'], lost: ['1234567'], says: DIGITS },
  { from: 'DECIMAL(50,0)', to: 'DOUBLE', fits: ['1e40', '7'], lost: [], says: DIGITS },
  { from: 'VARCHAR(50)', to: 'DECIMAL(40,0)', fits: [`'${'9'.repeat(40)}'`], lost: [], says: POINT },
  { from: 'SMALLINT', to: 'FLOAT', fits: ['32767'], lost: [], says: DIGITS },
  { from: 'DOUBLE', to: 'FLOAT', fits: ['0.1', '1.5', '-2e10'], lost: ['0.1234567'], says: DIGITS },
  { from: 'DOUBLE', to: 'DECIMAL(12,2)', fits: ['0.1', '1.25', '-3'], lost: ['1.005'], says: POINT },
  { from: 'DOUBLE', to: 'BIGINT', fits: ['2', '1e15'], lost: ['2.5'], says: POINT },
  { from: 'FLOAT', to: 'DECIMAL(12,2)', fits: ['0.1', '1.25'], lost: ['0.125'], says: POINT },
  {
    ...{ from: 'TEXT', to: 'TINYTEXT', says: /trailing spaces beyond 255 bytes/ },
    fits: ["CONCAT(REPEAT('a', 250), '     ')"],
    lost: ["CONCAT(REPEAT('a', 250), '      ')"],
  },
  { from: 'FLOAT', to: 'DOUBLE', fits: ['0.1', '1.25'], lost: [], says: DIGITS },
  { from: 'VARCHAR(40)', to: 'DECIMAL(12,2)', fits: ["'1.2'", "'-7'"], lost: ["'1.239'"], says: POINT },
  { from: 'TEXT', to: 'DECIMAL(12,0)', fits: ["'12'", "'-7'"], lost: ["'12.7'"], says: POINT },
  { from: 'VARCHAR(40)', to: 'DOUBLE', fits: ["'1.25'"], lost: ["'9007199254740993'"], says: DIGITS },
  {
    ...{ from: 'DATETIME(6)', to: 'DATETIME', says: FRACTION },
    fits: ["'2024-05-05 10:11:12'"],
    lost: ["'2024-05-05 10:11:12.5'", "'2024-05-05 10:11:12.000001'"],
  },
  {
    ...{ from: 'TIMESTAMP(6) NULL', to: 'DATETIME(3)', says: FRACTION },
    fits: ["'2024-05-05 10:11:12.123'"],
    lost: ["'2024-05-05 10:11:12.1234'"],
  },
  { from: 'TIME(3)', to: 'TIME', fits: ["'-10:11:12'"], lost: ["'10:11:12.001'"], says: FRACTION },
  {
    ...{ from: 'DATETIME(3)', to: 'DATE', says: /a time of day/ },
    fits: ["'2024-05-05 00:00:00'"],
    lost: ["'2024-05-05 00:00:00.001'", "'2024-05-05 23:59:59'"],
  },
  { from: 'DATETIME', to: 'TIME', fits: ['NULL'], lost: ["'2024-05-05 10:11:12'"], says: /a date/ },
  {
    ...{ from: 'VARCHAR(40)', to: 'DATETIME', says: FRACTION },
    fits: ["'2024-05-05 10:11:12'", "'2024-05-05'"],
    lost: ["'2024-05-05 10:11:12.25'"],
  },
  {
    ...{ from: 'VARCHAR(40)', to: 'DATE', says: /a time of day/ },
    fits: ["'2024-05-05'", "'2024-05-05 00:00:00'"],
    lost: ["'2024-05-05 10:11:12'"],
  },
  { from: 'VARCHAR(40)', to: 'TIME', fits: ["'10:11:12'"], lost: ["'2024-05-05 10:11:12'"], says: /a date/ },
  {
    from: 'DATETIME(3)',
    to: 'BIGINT',
    fits: ["'2024-05-05 10:11:12'"],
    lost: ["'2024-05-05 10:11:12.5'"],
    says: POINT,
  },
  { from: 'VARCHAR(10)', to: "ENUM('a', 'b')", fits: ["'a'"], lost: ["'a '"], says: /trailing spaces/ },
  { from: 'VARCHAR(10)', to: 'CHAR(10)', fits: ["'a b'", "''"], lost: ["'a '"], says: /trailing spaces/ },
  {
    from: 'VARCHAR(10)',
    to: 'VARCHAR(3)',
    fits: ["'a  '", "'äöü'"],
    lost: ["'a    '"],
    says: /spaces beyond 3 char/,
  },
  { from: 'TEXT', to: 'VARCHAR(3)', fits: ["'äöü'"], lost: ["'a    '"], says: /spaces beyond 3 char/ },
  {
    from: 'VARBINARY(20)',
    to: 'VARCHAR(3)',
    fits: ["'äöü'"],
    lost: ["'a    '"],
    says: /spaces beyond 3 char/,
  },
];

for (const { flavor, mode, on, once, itOnce } of serversAndModes()) {
  describe(`values that a conversion would change silently on ${on}`, function () {
    this.timeout(60_000);

    let server: RunningServer;
    let test: TestTable;

    before(async () => {
      server = await startServer(flavor, { mode });
    });
    after(() => server.stop());
    afterEach(() => test.drop());

    async function tableOf(type: string, values: readonly string[]): Promise<void> {
      test = await TestTable.create(server, {
        columns: `id INT NOT NULL PRIMARY KEY, address VARCHAR(100) NULL, v ${type}`,
      });
      await test.query(
        `INSERT INTO emails (id, v) VALUES ${values.map((v, i) => `(${i + 1}, ${v})`).join(', ')}`,
      );
    }

    /** What a native ALTER makes of a copy of the table, without a word. */
    async function nativeAlter(alter: string): Promise<Record<string, unknown>[]> {
      await test.query('CREATE TABLE native LIKE emails');
      await test.query('INSERT INTO native SELECT * FROM emails');
      await test.query(`ALTER TABLE native ${alter}`);
      return test.rows('native');
    }

    for (const { from, to, fits, lost, says } of once(CONVERSIONS)) {
      const alter = `MODIFY v ${to}`;

      it(`${from} to ${to}: what fits is converted`, async () => {
        await tableOf(from, fits);
        const native = await nativeAlter(alter);
        await test.migrate(alter);
        expect(await test.rows()).to.deep.equal(native);
      });

      for (const value of lost) {
        it(`${from} to ${to}: ${value} stops it, unless that is wanted`, async () => {
          await tableOf(from, [...fits, value, ...fits]);
          const was = { definition: await test.definition(), rows: await test.rows() };
          const error = await test.failure(alter, { chunk: { rows: 2 } });
          expect(error.message)
            .to.match(says)
            .and.contain(`The row (id = ${fits.length + 1})`)
            .and.contain("'v'");
          expect(error.hint).to.contain('allowDataLoss').and.contain('columns.values');
          await expectTakenBack(test, error, was, { code: 'LHM_DATA_WOULD_BE_LOST', phase: 'copy' });

          // An ALTER refuses a few of them where it is strict.
          await test.query("SET SESSION sql_mode = ''");
          const native = await nativeAlter(alter);
          await test.migrate(alter, { columns: { allowDataLoss: true } });
          expect(await test.rows()).to.deep.equal(native);
        });
      }
    }

    itOnce('a value of its own says what becomes of them', async () => {
      await tableOf('DECIMAL(12,4)', ['1.2345', '2']);
      await test.migrate('MODIFY v DECIMAL(12,2)', { columns: { values: { v: 'ROUND(v, 2)' } } });
      expect((await test.rows()).map(({ v }) => v)).to.deep.equal(['1.23', '2.00']);
    });

    it('a value that comes up while the others are copied is noticed', async () => {
      await tableOf('DECIMAL(12,4)', ['1', '2', '3']);
      const error = await test.failure('MODIFY v DECIMAL(12,2)', {
        hooks: {
          beforeCutOver: () => test.query('UPDATE emails SET v = 1.005 WHERE id = 1').then(() => undefined),
        },
      });
      expect(error.code).to.equal('LHM_DATA_WOULD_BE_LOST');
      expect(error.message).to.contain('(id = 1)');
      expect((await test.rows())[0]).to.include({ v: '1.0050' });
    });
  });
}
