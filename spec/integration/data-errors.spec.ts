import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { startServer, type Flavor, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { intercept } from '../support/test-table-statements';

/** Columns of a table in which every kind of trouble can be made. */
const COLUMNS = [
  'id INT NOT NULL PRIMARY KEY',
  'address VARCHAR(100) NOT NULL',
  'size BIGINT NULL',
  "state ENUM('new', 'open', 'done') NOT NULL DEFAULT 'new'",
  'code VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL',
  'body TEXT NULL',
].join(', ');

interface DataError {
  readonly what: string;
  readonly only?: Flavor;
  /** Changes to the 40 good rows; the last chunk holds what does not fit. */
  readonly trouble: readonly string[];
  readonly alter: string;
  readonly code: 'LHM_DATA_WOULD_BE_LOST' | 'LHM_DUPLICATE_ROWS';
  /** Found in the message: which rows or which column. */
  readonly says: RegExp;
  readonly values?: Record<string, string>;
}

const lost = (what: string, trouble: string, alter: string, says: RegExp): DataError => ({
  ...{ what, trouble: [trouble], alter, code: 'LHM_DATA_WOULD_BE_LOST', says },
});

const twice = (what: string, trouble: readonly string[], alter: string, says: RegExp): DataError => ({
  ...{ what, trouble, alter, code: 'LHM_DUPLICATE_ROWS', says },
});

const UNIQUE_CODE = 'ALTER TABLE emails ADD UNIQUE KEY code_unique (code)';

const ERRORS: readonly DataError[] = [
  lost(
    'NULL in a column that becomes NOT NULL',
    'UPDATE emails SET size = NULL WHERE id = 37',
    'MODIFY size BIGINT NOT NULL',
    /size.*null/i,
  ),
  lost(
    'NULL in a column that becomes NOT NULL with a default',
    'UPDATE emails SET size = NULL WHERE id = 37',
    'MODIFY size BIGINT NOT NULL DEFAULT 5',
    /size.*null/i,
  ),
  lost(
    'text that a shorter VARCHAR would cut',
    "UPDATE emails SET address = REPEAT('x', 21) WHERE id = 37",
    'MODIFY address VARCHAR(20) NOT NULL',
    /too long.*address/i,
  ),
  // MariaDB stores a length modulo 256 here unless it is made to look.
  ...[256, 300, 511].map((length) =>
    lost(
      `text of ${length} characters that a TINYTEXT would cut`,
      `UPDATE emails SET body = REPEAT('x', ${length}) WHERE id = 37`,
      'MODIFY body TINYTEXT',
      /too long.*body/i,
    ),
  ),
  lost(
    'bytes that a TINYBLOB would cut',
    "UPDATE emails SET body = REPEAT('x', 300) WHERE id = 37",
    'MODIFY body TINYBLOB',
    /too long.*body/i,
  ),
  {
    ...lost('a VARCHAR that a TINYTEXT would cut', '', 'MODIFY body TINYTEXT', /too long.*body/i),
    trouble: [
      'ALTER TABLE emails MODIFY body VARCHAR(400)',
      "UPDATE emails SET body = REPEAT('x', 300) WHERE id = 37",
    ],
  },
  {
    ...lost('a MEDIUMTEXT that a TEXT would cut', '', 'MODIFY body TEXT', /too long.*body/i),
    trouble: [
      'ALTER TABLE emails MODIFY body MEDIUMTEXT',
      "UPDATE emails SET body = REPEAT('x', 65540) WHERE id = 37",
    ],
  },
  {
    ...lost(
      'digits of a DOUBLE that a VARCHAR has no room for',
      '',
      'MODIFY size VARCHAR(5)',
      /too long.*size/i,
    ),
    trouble: ['ALTER TABLE emails MODIFY size DOUBLE', 'UPDATE emails SET size = 1234567.125 WHERE id = 37'],
  },
  lost(
    'a number out of the range of TINYINT',
    'UPDATE emails SET size = 128 WHERE id = 37',
    'MODIFY size TINYINT NULL',
    /out of range.*size/i,
  ),
  lost(
    'a negative number in a column that becomes UNSIGNED',
    'UPDATE emails SET size = -1 WHERE id = 37',
    'MODIFY size BIGINT UNSIGNED NULL',
    /out of range.*size/i,
  ),
  lost(
    'text that is no number',
    "UPDATE emails SET code = 'seven' WHERE id = 37",
    'MODIFY code INT NULL',
    /seven.*code/i,
  ),
  lost(
    'text that is no date',
    "UPDATE emails SET code = IF(id = 37, '2024-02-31', '2024-02-01')",
    'MODIFY code DATE NULL',
    /2024-02-31/,
  ),
  lost(
    'text that is no JSON',
    "UPDATE emails SET body = '{' WHERE id = 37",
    'MODIFY body JSON NULL',
    /json|constraint/i,
  ),
  lost(
    'an ENUM member that is taken away',
    "UPDATE emails SET state = 'done' WHERE id = 37",
    "MODIFY state ENUM('new', 'open') NOT NULL DEFAULT 'new'",
    /truncated.*state/i,
  ),
  lost(
    'text that an ENUM has no member for',
    "UPDATE emails SET code = IF(id = 37, 'other', 'two')",
    "MODIFY code ENUM('one', 'two') NULL",
    /truncated.*code/i,
  ),
  lost(
    'a character that latin1 does not have',
    "UPDATE emails SET address = 'Łódź' WHERE id = 37",
    'MODIFY address VARCHAR(100) CHARACTER SET latin1 NOT NULL',
    /incorrect string.*address|cannot convert/i,
  ),
  lost(
    'a row that a new CHECK does not allow',
    'UPDATE emails SET size = 5000 WHERE id = 37',
    'ADD CONSTRAINT small_size CHECK (size < 1000)',
    /small_size/,
  ),
  {
    ...lost(
      'a value whose expression fails',
      'UPDATE emails SET size = 0 WHERE id = 37',
      'ADD share INT',
      /0/,
    ),
    values: { share: '1000 DIV size' },
  },
  {
    ...lost(
      'a value that does not fit',
      'UPDATE emails SET size = 9000 WHERE id = 37',
      'ADD s TINYINT',
      /\bs\b/,
    ),
    values: { s: 'size' },
  },
  twice(
    'duplicates under a new unique key, in one chunk',
    ["UPDATE emails SET code = 'same' WHERE id IN (36, 38)"],
    'ADD UNIQUE KEY code_unique (code)',
    /\(36\) and \(38\).*code_unique/,
  ),
  twice(
    'duplicates under a new unique key, far apart',
    ["UPDATE emails SET code = 'same' WHERE id IN (2, 38)"],
    'ADD UNIQUE KEY code_unique (code)',
    /\(2\) and \(38\).*code_unique/,
  ),
  twice(
    'duplicates under a new unique key over two columns',
    ["UPDATE emails SET code = 'same', size = 3 WHERE id IN (2, 38)"],
    'ADD UNIQUE KEY pair_unique (size, code)',
    /\(2\) and \(38\).*pair_unique/,
  ),
  twice(
    'duplicates under a unique key over a prefix',
    ["UPDATE emails SET address = CONCAT('samesame', id) WHERE id IN (2, 38)"],
    'ADD UNIQUE KEY address_unique (address(8))',
    /\(2\) and \(38\).*address_unique/,
  ),
  twice(
    'duplicates under a coarser collation',
    [
      UNIQUE_CODE,
      "UPDATE emails SET code = 'Ann' WHERE id = 2",
      "UPDATE emails SET code = 'ANN' WHERE id = 38",
    ],
    'MODIFY code VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL',
    /\(2\) and \(38\).*code_unique/,
  ),
  twice(
    'duplicates after a conversion',
    [
      UNIQUE_CODE,
      "UPDATE emails SET code = '70' WHERE id = 2",
      "UPDATE emails SET code = '070' WHERE id = 38",
    ],
    'MODIFY code INT NULL',
    /\(2\) and \(38\).*code_unique/,
  ),
  twice(
    'duplicates under a new unique key that a value fills',
    [],
    'ADD COLUMN half INT, ADD UNIQUE KEY half_unique (half)',
    /\(\d+\) and \(\d+\).*half_unique/,
  ),
];

for (const { flavor, mode, on, once, itOnce } of serversAndModes()) {
  describe(`rows that do not fit on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let test: TestTable;

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server, { columns: COLUMNS });
      const rows = Array.from({ length: 40 }, (_, i) => [i + 1, `a${i + 1}`, i + 1, 'open', String(i + 1)]);
      await test.query('INSERT INTO emails (id, address, size, state, code) VALUES ?', [rows]);
    });

    afterEach(() => test.drop());

    for (const { what, trouble, alter, code, says, values } of once(ERRORS)) {
      it(what, async () => {
        for (const sql of trouble) await test.query(sql);
        const was = { definition: await test.definition(), rows: await test.rows() };
        const given = values ?? (alter.includes('half') ? { half: 'id DIV 2' } : {});
        let copied = 0;
        const error = await test.failure(alter, {
          chunk: { rows: 6 },
          columns: { values: given },
          progress: ({ rowsCopied }) => (copied = rowsCopied),
        });
        expect(error.message).to.match(says);
        if (code === 'LHM_DATA_WOULD_BE_LOST') {
          expect(copied).to.equal(36);
          expect(error.message).to.contain('The row (id = 37)');
          expect(error.hint).to.contain('allowDataLoss');
        }
        await expectTakenBack(test, error, was, { code, phase: 'copy' });
      });
    }

    for (const { what, trouble, alter, values, code } of once(ERRORS)) {
      if (values !== undefined || code !== 'LHM_DATA_WOULD_BE_LOST') continue;
      it(`${what}, with columns.allowDataLoss: as an ALTER without strict mode`, async () => {
        for (const sql of trouble) await test.query(sql);
        const native = await nativeAlter(alter);
        const options = { chunk: { rows: 6 }, columns: { allowDataLoss: true } };
        if (native === null) {
          expect((await test.failure(alter, options)).code).to.equal(code);
        } else {
          const { verified } = await test.migrate(alter, options);
          expect(await test.rows()).to.deep.equal(native);
          expect(verified.notCompared).to.equal(0);
        }
      });
    }

    /** What an ALTER makes of a copy of the table where nothing is strict; null where it refuses all the same. */
    async function nativeAlter(alter: string): Promise<Record<string, unknown>[] | null> {
      const sloppy = await test.connect();
      await sloppy.query("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
      await sloppy.query('CREATE TABLE native LIKE emails');
      await sloppy.query('INSERT INTO native SELECT * FROM emails');
      try {
        await sloppy.query(`ALTER TABLE native ${alter}`);
      } catch {
        return null;
      }
      return test.rows('native');
    }

    it('a row that stops fitting while the others are copied', async () => {
      const was = { definition: await test.definition(), rows: await test.rows() };
      const trouble = 'UPDATE emails SET size = 5000 WHERE id = 3';
      const error = await test.failure('MODIFY size TINYINT NULL', {
        chunk: { rows: 6 },
        hooks: { afterRowCopy: () => test.query(trouble).then(() => undefined) },
      });
      expect(error.message).to.match(/size/);
      const rows = was.rows.map((row) => (row['id'] === 3 ? { ...row, size: 5000 } : row));
      await expectTakenBack(test, error, { ...was, rows }, { code: 'LHM_DATA_WOULD_BE_LOST' });
    });

    it('a row that stops fitting when it is about to be compared', async () => {
      const was = { definition: await test.definition(), rows: await test.rows() };
      const trouble = intercept(test.knex, {
        ...{ match: /^INSERT INTO \S+_lhmx_/, when: 'before' },
        run: () => test.query('UPDATE emails SET size = 5000 WHERE id = 3').then(() => undefined),
      });
      const error = await test.failure('MODIFY size TINYINT NULL', { chunk: { rows: 6 } });
      expect(trouble.happened).to.equal(true);
      expect(error.message).to.match(/The row \(id = 3\).*size/);
      const rows = was.rows.map((row) => (row['id'] === 3 ? { ...row, size: 5000 } : row));
      await expectTakenBack(
        test,
        error,
        { ...was, rows },
        { code: 'LHM_DATA_WOULD_BE_LOST', phase: 'verify' },
      );
    });

    it('a row that becomes a duplicate just before the cut-over', async () => {
      const was = { definition: await test.definition(), rows: await test.rows() };
      const trouble = "UPDATE emails SET code = '4' WHERE id = 33";
      const error = await test.failure('ADD UNIQUE KEY code_unique (code)', {
        hooks: { beforeCutOver: () => test.query(trouble).then(() => undefined) },
      });
      expect(error.message).to.match(/\(33\) and \(4\)|\(4\) and \(33\)/);
      const rows = was.rows.map((row) => (row['id'] === 33 ? { ...row, code: '4' } : row));
      await expectTakenBack(test, error, { ...was, rows }, { code: 'LHM_DUPLICATE_ROWS', phase: 'cut-over' });
    });

    it('duplicates that are gone before they are copied do no harm', async () => {
      await test.query("UPDATE emails SET code = 'same' WHERE id IN (2, 38)");
      await test.migrate('ADD UNIQUE KEY code_unique (code)', {
        chunk: { rows: 6 },
        hooks: {
          beforeRowCopy: () =>
            test.query("UPDATE emails SET code = 'other' WHERE id = 38").then(() => undefined),
        },
      });
      expect(await test.definition()).to.contain('code_unique');
    });

    itOnce('NULLs under a new unique key do no harm', async () => {
      await test.query('UPDATE emails SET code = NULL WHERE id IN (2, 38)');
      await test.migrate('ADD UNIQUE KEY code_unique (code)', { chunk: { rows: 6 } });
      expect(await test.rows()).to.have.length(40);
    });
  });
}
