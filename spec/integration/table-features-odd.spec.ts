import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { startServer, type Flavor, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { intercept } from '../support/test-table-statements';
import { itRefuses, type BadInput } from '../support/test-table-refusal';

const DOCUMENTS = 'id INT NOT NULL PRIMARY KEY, FTS_DOC_ID BIGINT UNSIGNED NOT NULL UNIQUE, body TEXT NULL';
const PERIOD =
  'id INT NOT NULL PRIMARY KEY, room INT NOT NULL, d1 DATE NOT NULL, d2 DATE NOT NULL, PERIOD FOR stay (d1, d2)';

const engine = (name: string, only?: Flavor): BadInput => ({
  ...(only && { only }),
  what: `a table of ${name}`,
  code: 'LHM_UNSUPPORTED_ENGINE',
  before: [
    'DROP TABLE emails',
    `CREATE TABLE emails (id INT NOT NULL, a INT NOT NULL, PRIMARY KEY (id) USING BTREE) ENGINE = ${name}`,
  ],
  says: new RegExp(name, 'i'),
  hints: /InnoDB/,
});

const becomes = (name: string, only?: Flavor): BadInput => ({
  ...(only && { only }),
  what: `a table that becomes one of ${name}`,
  code: 'LHM_UNSUPPORTED_ENGINE',
  phase: 'clone',
  alter: `ENGINE = ${name}`,
  says: new RegExp(name, 'i'),
  hints: /native ALTER TABLE/,
});

const REFUSED: readonly BadInput[] = [
  ...[engine('MyISAM'), engine('MEMORY'), engine('Aria', 'mariadb')],
  ...[becomes('MyISAM'), becomes('MEMORY'), becomes('Aria', 'mariadb')],
  {
    what: 'a FULLTEXT index beside documents that the application numbers',
    ...{ code: 'LHM_UNSUPPORTED_INDEX', phase: 'clone' },
    table: { columns: `${DOCUMENTS}, FULLTEXT KEY words (body)` },
    says: /'words'.*FTS_DOC_ID/,
    hints: /native ALTER TABLE/,
  },
  {
    what: 'a FULLTEXT index that is added beside such documents',
    ...{ code: 'LHM_UNSUPPORTED_INDEX', phase: 'clone' },
    table: { columns: DOCUMENTS },
    alter: 'ADD FULLTEXT KEY words (body)',
    says: /'words'.*FTS_DOC_ID/,
  },
  {
    what: 'a unique index over the elements of an array',
    only: 'mysql',
    ...{ code: 'LHM_UNSUPPORTED_INDEX', phase: 'clone' },
    table: {
      columns: "id INT PRIMARY KEY, j JSON, UNIQUE KEY by_zip ((CAST(j->'$.zip' AS UNSIGNED ARRAY)))",
    },
    says: /'by_zip'.*array/,
    hints: /not unique/,
  },
  {
    what: 'a key WITHOUT OVERLAPS',
    only: 'mariadb',
    ...{ code: 'LHM_UNSUPPORTED_INDEX', phase: 'clone' },
    table: { columns: `${PERIOD}, UNIQUE KEY (room, stay WITHOUT OVERLAPS)` },
    says: /WITHOUT OVERLAPS/,
  },
  {
    what: 'a key WITHOUT OVERLAPS that is added',
    only: 'mariadb',
    ...{ code: 'LHM_UNSUPPORTED_INDEX', phase: 'clone' },
    table: { columns: PERIOD },
    alter: 'ADD UNIQUE KEY (room, stay WITHOUT OVERLAPS)',
    says: /WITHOUT OVERLAPS/,
  },
  {
    what: 'a key whose column is called as one of the journal',
    code: 'LHM_NO_USABLE_KEY',
    table: { columns: 'HADRON_seq INT NOT NULL PRIMARY KEY, a INT NULL' },
    says: /journal/,
  },
  {
    what: 'a key whose column is called as InnoDB calls one of its own',
    code: 'LHM_NO_USABLE_KEY',
    table: { columns: 'FTS_DOC_ID BIGINT UNSIGNED NOT NULL PRIMARY KEY, a INT NULL' },
    says: /journal/,
  },
  {
    what: 'a key that is dropped from a table which has no room for one more',
    ...{ code: 'LHM_NO_USABLE_KEY', phase: 'clone' },
    table: {
      columns: `id INT NOT NULL PRIMARY KEY, ${Array.from({ length: 63 }, (_, i) => `c${i} INT, KEY (c${i})`).join(', ')}, c63 INT`,
    },
    alter: 'DROP PRIMARY KEY, ADD INDEX (c63)',
    says: /too many keys/i,
    hints: /second/,
  },
  ...['DATE', 'TIME', 'DATETIME', 'TIMESTAMP'].map((type): BadInput => ({
    what: `a ${type} that becomes bits`,
    ...{ code: 'LHM_CONVERSION_UNSUPPORTED', phase: 'clone' },
    table: { columns: `id INT NOT NULL PRIMARY KEY, t ${type} NULL` },
    alter: 'MODIFY t BIT(64) NULL',
    says: /'t'.*bit\(64\)/,
    hints: /ctx\.values/,
  })),
  {
    what: 'a YEAR that becomes JSON',
    only: 'mysql',
    ...{ code: 'LHM_CONVERSION_UNSUPPORTED', phase: 'clone' },
    table: { columns: 'id INT NOT NULL PRIMARY KEY, t YEAR NULL' },
    alter: 'MODIFY t JSON NULL',
    hints: /ctx\.values/,
  },
  {
    what: 'system versioning of some columns',
    only: 'mariadb',
    code: 'LHM_NOT_A_TABLE',
    before: [
      'DROP TABLE emails',
      'CREATE TABLE emails (id INT NOT NULL PRIMARY KEY, a INT WITH SYSTEM VERSIONING, b INT)',
    ],
    says: /system versioned/,
    hints: /history/,
  },
  {
    ...{ what: 'a table that gets system versioning', only: 'mariadb' },
    ...{ code: 'LHM_ALTER_UNSUPPORTED', phase: 'clone' },
    alter: 'ADD SYSTEM VERSIONING',
    says: /versioning/,
    hints: /native ALTER TABLE/,
  },
  ...['DROP PARTITION p0', 'TRUNCATE PARTITION p0', 'EXCHANGE PARTITION p0 WITH TABLE other'].map(
    (alter): BadInput => ({
      ...{ what: `a partition whose rows ${alter} would move or delete` },
      ...{ code: 'LHM_ALTER_UNSUPPORTED', phase: 'clone' },
      before: [
        'ALTER TABLE emails PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)',
      ],
      alter,
      says: /partition/i,
    }),
  ),
];

/** Changes that rows do not fit, which no other spec has. */
interface Misfit {
  readonly what: string;
  readonly only?: Flavor;
  /** The column beside `id`, and its values in the rows from id 1 on. */
  readonly column: string;
  readonly values: readonly string[];
  readonly alter: string;
  readonly says: RegExp;
}

const MISFITS: readonly Misfit[] = [
  {
    what: 'a row for which there is no partition any more',
    column: 'x INT NULL',
    values: ['1', '2', '3'],
    alter: 'PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (3))',
    says: /partition.* 3/,
  },
  {
    what: 'a point of another spatial reference system',
    only: 'mysql',
    column: 'x POINT NULL',
    values: ["ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('POINT(1 2)')"],
    alter: 'MODIFY x POINT NULL SRID 4326',
    says: /SRID/,
  },
  {
    what: 'a geometry that is no point',
    column: 'x GEOMETRY NULL',
    values: ["ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('LINESTRING(1 2, 3 4)')"],
    alter: 'MODIFY x POINT NULL',
    says: /geometry|POINT|'x'/i,
  },
  {
    what: 'a vector that is longer',
    only: 'mysql',
    column: 'x VECTOR(3) NULL',
    values: ["STRING_TO_VECTOR('[1]')", "STRING_TO_VECTOR('[1,2,3]')"],
    alter: 'MODIFY x VECTOR(2) NULL',
    says: /'x'/,
  },
  {
    what: 'text that is no UUID',
    only: 'mariadb',
    column: 'x VARCHAR(40) NULL',
    values: ["'12345678-0000-4000-8000-000000000001'", "'none'"],
    alter: 'MODIFY x UUID NULL',
    says: /uuid/i,
  },
  {
    what: 'a member of an ENUM that is gone',
    column: "x ENUM('a', 'b', 'c') NULL",
    values: ["'a'", 'NULL', "'c'"],
    alter: "MODIFY x ENUM('b', 'a') NULL",
    says: /'x'/,
  },
  {
    what: 'members of an ENUM beyond ASCII that CONVERT TO itself damages',
    column: "x ENUM('ä', 'b') CHARACTER SET latin1 NULL",
    values: ["'b'", 'NULL', "'ä'"],
    alter: 'CONVERT TO CHARACTER SET utf8mb4',
    says: /'x'/,
  },
];

for (const { flavor, mode, on, once, itOnce } of serversAndModes()) {
  describe(`odd tables and changes on ${on}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    describe('refused with the reason:', () => itRefuses(flavor, () => server, once(REFUSED)));

    describe('stopped by a row:', () => {
      for (const { what, only = flavor, column, values, alter, says } of once(MISFITS)) {
        if (only !== flavor) continue;
        it(what, async () => {
          const test = await TestTable.create(server, {
            columns: `id INT NOT NULL PRIMARY KEY, address VARCHAR(100) NULL, ${column}`,
          });
          try {
            const rows = values.map((value, i) => `(${i + 1}, ${value})`);
            await test.query(`INSERT INTO emails (id, x) VALUES ${rows.join(', ')}`);
            const was = { definition: await test.definition(), rows: await test.rows() };
            const error = await test.failure(alter, { chunk: { rows: 1 } });
            expect(error.message).to.match(says);
            await expectTakenBack(test, error, was, { code: 'LHM_DATA_WOULD_BE_LOST', phase: 'copy' });
          } finally {
            await test.drop();
          }
        });
      }
    });

    it('a column FTS_DOC_ID without a FULLTEXT index is one like others', async () => {
      const test = await TestTable.create(server, {
        columns: 'id INT NOT NULL PRIMARY KEY, FTS_DOC_ID BIGINT UNSIGNED NOT NULL UNIQUE, body TEXT NULL',
      });
      try {
        await test.query("INSERT INTO emails VALUES (1, 7, 'one'), (2, 5, 'two'), (3, 9, 'three')");
        const meanwhile = "UPDATE emails SET body = '2', FTS_DOC_ID = 3 WHERE id = 2";
        await test.migrate('ADD COLUMN x INT, MODIFY body LONGTEXT', {
          hooks: { afterRowCopy: () => test.query(meanwhile).then(() => undefined) },
        });
        expect((await test.rows()).map(({ FTS_DOC_ID, body }) => [FTS_DOC_ID, body])).to.deep.equal([
          [7, 'one'],
          [3, '2'],
          [9, 'three'],
        ]);
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });

    itOnce('a period without such a key is there afterwards', async function () {
      if (flavor === 'mysql') return this.skip();
      const test = await TestTable.create(server, { columns: PERIOD });
      try {
        await test.query("INSERT INTO emails VALUES (1, 1, '2024-01-01', '2024-02-01')");
        await test.migrate('ADD COLUMN x INT NULL');
        await test.query('CREATE TABLE twin LIKE emails');
        expect(await test.definition()).to.contain('PERIOD FOR `stay` (`d1`, `d2`)');
        const wrong = test.query("INSERT INTO emails VALUES (2, 1, '2024-02-01', '2024-01-01', 0)");
        expect(
          await wrong.then(
            () => 'taken',
            () => 'refused',
          ),
        ).to.equal('refused');
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });

    itOnce('histograms of columns that stay as they are', async function () {
      if (flavor === 'mariadb') return this.skip();
      const test = await TestTable.create(server);
      try {
        await test.query('ANALYZE TABLE emails UPDATE HISTOGRAM ON size, note WITH 7 BUCKETS AUTO UPDATE');
        await test.query('ANALYZE TABLE emails UPDATE HISTOGRAM ON address WITH 100 BUCKETS');
        await test.migrate('RENAME COLUMN size TO `by``tes`, MODIFY note VARCHAR(90) NULL');
        const histograms = await test.query(
          `SELECT COLUMN_NAME AS name, JSON_EXTRACT(HISTOGRAM, '$."number-of-buckets-specified"') + 0 AS buckets,
                  JSON_EXTRACT(HISTOGRAM, '$."auto-update"') = TRUE AS auto
             FROM information_schema.COLUMN_STATISTICS WHERE SCHEMA_NAME = ? AND TABLE_NAME = 'emails' ORDER BY 1`,
          [test.database],
        );
        expect(histograms).to.deep.equal([
          { name: 'address', buckets: 100, auto: 0 },
          { name: 'by`tes', buckets: 7, auto: 1 },
        ]);
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });

    it('an id 0 stays when its column begins to count', async () => {
      const test = await TestTable.create(server, { columns: 'id INT NOT NULL PRIMARY KEY, a INT NULL' });
      try {
        await test.query('INSERT INTO emails VALUES (0, 1), (5, 2)');
        await test.migrate('MODIFY id INT NOT NULL AUTO_INCREMENT', {
          hooks: {
            afterRowCopy: () => test.query('UPDATE emails SET a = 3 WHERE id = 0').then(() => undefined),
          },
        });
        await test.query('INSERT INTO emails (a) VALUES (4)');
        expect(await test.rows()).to.deep.equal([
          { id: 0, a: 3 },
          { id: 5, a: 2 },
          { id: 6, a: 4 },
        ]);
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });

    it('a sequence that others are counting on at the swap', async function () {
      if (flavor === 'mysql') return this.skip();
      const test = await TestTable.create(server);
      try {
        await test.query('CREATE SEQUENCE a_sequence');
        await test.query('ALTER TABLE emails ADD COLUMN n INT NOT NULL DEFAULT NEXT VALUE FOR a_sequence');
        const other = await test.connect();
        await other.query('START TRANSACTION');
        await other.query('SELECT NEXT VALUE FOR a_sequence');
        const counting = intercept(test.knex, {
          ...{ match: /^LOCK TABLES .*a_sequence/, when: 'after' },
          run: () => other.query('SELECT NEXT VALUE FOR a_sequence').then(() => undefined),
        });
        const { cutOver } = await test.migrate('ADD COLUMN x INT', {
          cutOver: { oldReadViews: 'ignore' },
          hooks: { beforeCutOver: () => test.query('UPDATE emails SET size = 1').then(() => undefined) },
        });
        expect([counting.happened, cutOver.attempts]).to.deep.equal([true, 1]);
        await other.query('COMMIT');
        await test.query("INSERT INTO emails (address) VALUES ('next')");
        const [row] = await test.query(
          'SELECT COUNT(*) - COUNT(DISTINCT n) AS twice, MAX(n) AS last FROM emails',
        );
        expect(row).to.deep.equal({ twice: 0, last: 33 });
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });

    it('a table with as many columns as there can be', async () => {
      const columns = Array.from({ length: 1015 }, (_, i) => `c${i} TINYINT NULL`);
      const test = await TestTable.create(server, { columns: `id INT PRIMARY KEY, ${columns.join(', ')}` });
      try {
        await test.query('INSERT INTO emails (id, c0, c1014) VALUES (1, 1, 2), (2, 3, 4)');
        await test.migrate('ADD COLUMN x INT', {
          hooks: {
            afterRowCopy: () => test.query('UPDATE emails SET c7 = 5 WHERE id = 2').then(() => undefined),
          },
        });
        expect(await test.query('SELECT id, c0, c7, c1014, x FROM emails')).to.deep.equal([
          { id: 1, c0: 1, c7: null, c1014: 2, x: null },
          { id: 2, c0: 3, c7: 5, c1014: 4, x: null },
        ]);
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });

    itOnce('a vector that is added without a value is asked for one', async function () {
      if (flavor === 'mariadb') return this.skip();
      const test = await TestTable.create(server);
      try {
        const error = await test.failure('ADD COLUMN w VECTOR(2) NOT NULL');
        expect(error, error.message).to.include({ code: 'LHM_BAD_VALUES', outcome: 'untouched' });
        await test.migrate('ADD COLUMN w VECTOR(2) NOT NULL', {
          columns: { values: { w: "STRING_TO_VECTOR('[1,2]')" } },
        });
        const [row] = await test.query('SELECT COUNT(DISTINCT HEX(w)) AS kinds FROM emails');
        expect(row).to.deep.equal({ kinds: 1 });
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });
  });
}
