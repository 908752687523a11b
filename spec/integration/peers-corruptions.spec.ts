/**
 * What other tools for online schema changes were seen to do silently, one short test for each: here the result is what a
 * native ALTER makes, or the migration is refused and the table is untouched.
 *
 * Four of them come from reading the binary log: compressed transactions, partial JSON, `sql_log_bin = 0` and values decoded
 * from events. They are tried with triggers all the same, which fire in every session.
 */
import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { refused, right, Stage, type Corruption, type Situation } from '../support/corruption';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTruthfulLeftovers } from '../support/leak-guard-leftovers';
import { startServer, type RunningServer } from '../support/servers';
import { without } from '../support/test-table';
import { ChildMigration } from '../support/test-table-process';
import { migrationConnections, until } from '../support/test-table-process-list';
import { intercept } from '../support/test-table-statements';

/** A table with one column of interest, and eight rows. */
function column(definition: string, values: readonly string[]): Pick<Situation, 'columns' | 'rows'> {
  const rows = Array.from({ length: 8 }, (_, i) => `(${i + 1}, ${values[i % values.length]!})`);
  return {
    columns: `id INT AUTO_INCREMENT PRIMARY KEY, ${definition}`,
    rows: [`INSERT INTO emails VALUES ${rows.join(', ')}`],
  };
}

/** An update of a copied row and one of a row that is not, an insert, and an update again: each value at each place. */
function events(name: string, values: readonly string[]): string[] {
  return values.flatMap((value, i) => [
    `UPDATE emails SET ${name} = ${value} WHERE id IN (1, ${4 + (i % 4)})`,
    `INSERT INTO emails (${name}) VALUES (${value})`,
    `UPDATE emails SET ${name} = ${value} WHERE id = ${2 + (i % 6)}`,
  ]);
}

const utf8 = (text: string): string => `CONVERT(X'${Buffer.from(text).toString('hex')}' USING utf8mb4)`;

const CHARSETS: readonly (readonly [charset: string, texts: readonly string[]])[] = [
  ['latin1', ['Zoë', '€ 5']],
  ['cp1251', ['Привет', 'ёлка']],
  ['koi8r', ['Привет', 'ёлка']],
  ['sjis', ['日本', 'ｱｲｳ表']],
  ['ucs2', ['Ωμέγα', '日本']],
];

/** The place of the sun in the world: a server whose time zone is not UTC. */
const EAST = { globals: { time_zone: "'+05:00'" }, session: ["SET time_zone = '+05:00'"] };

const TIMES = column('ts TIMESTAMP NULL, dt DATETIME NULL', [
  "'2024-03-01 23:30:00', '2024-03-01 23:30:00'",
  "'2024-07-01 00:15:00', NULL",
]);

const UNIQUE = column('slot INT NULL UNIQUE, code VARCHAR(20) COLLATE utf8mb4_bin NULL', [
  'NULL, NULL',
]) satisfies Pick<Situation, 'columns' | 'rows'>;

const NUMBERED: Pick<Situation, 'columns' | 'rows'> = {
  columns: UNIQUE.columns,
  rows: [...UNIQUE.rows, "UPDATE emails SET slot = id, code = CONCAT('c', id)"],
};

/** Row 1 takes the value of row 8, and so on round: nobody keeps what it had. */
const ROTATE = ['UPDATE emails SET slot = -slot', 'UPDATE emails SET slot = MOD(-slot, 8) + 1'];

const LOST = 'LHM_DATA_WOULD_BE_LOST';

const GH_OST: readonly Corruption[] = [
  right('1. values of a unique column moved between rows, the table only rebuilt', {
    ...{ ...NUMBERED, alter: 'ENGINE = InnoDB', writes: [ROTATE, ROTATE, ROTATE, ROTATE] },
  }),

  ...(['RENAME COLUMN a TO b', 'CHANGE a b INT NULL'] as const).map((alter) =>
    right(`2. a column is NULL everywhere after ${alter}`, {
      ...{ ...column('a INT NULL', ['5', '6']), alter, writes: events('a', ['7', 'NULL']) },
    }),
  ),

  ...(['state', 'State', 'colour'] as const).map((name) =>
    right(`3. an ENUM that becomes the VARCHAR ${name}, '2' for 'green'`, {
      ...column("state ENUM('red', 'green', 'blue') NULL", ["'red'", "'green'"]),
      ...{ alter: `CHANGE state ${name} VARCHAR(20) NULL`, writes: events('state', ["'green'", "'blue'"]) },
    }),
  ),

  ...CHARSETS.map(([charset, texts]) =>
    right(`4. ${charset} to utf8mb4, '' or other characters`, {
      ...column(`v VARCHAR(40) CHARACTER SET ${charset} NULL`, texts.map(utf8)),
      alter: 'CONVERT TO CHARACTER SET utf8mb4',
      writes: events('v', [...texts].reverse().map(utf8)),
    }),
  ),

  ...(["SET('z', 'y', 'x')", 'VARCHAR(20)'] as const).map((type) =>
    right(`5. a SET that becomes ${type}, other members`, {
      ...column("s SET('x', 'y', 'z') NULL", ["'x,z'", "''", "'y'"]),
      ...{ alter: `MODIFY s ${type} NULL`, writes: events('s', ["'z'", "'x,y,z'"]) },
    }),
  ),

  ...(['ts DATETIME', 'ts VARCHAR(30)', 'ts DATE', 'dt TIMESTAMP'] as const).map((type) =>
    right(`6. ${type} of a TIMESTAMP or DATETIME where it is not UTC, shifted by the offset`, {
      ...{ ...TIMES, ...EAST, rows: [...EAST.session, ...TIMES.rows], alter: `MODIFY ${type} NULL` },
      writes: events(type.slice(0, 2), ["'2024-12-31 22:00:00'", 'NULL']),
      // A DATE has no time of day, which has to be wanted.
      ...(type === 'ts DATE' ? { options: { columns: { allowDataLoss: true } } } : {}),
    }),
  ),

  ...(
    [
      ['DECIMAL(30,10)', ['12345678901234567890.0123456789', '0.1000000000']],
      ['FLOAT', ['16777217.3', '1e-7']],
      ['DOUBLE', ['0.1 + 0.2e0', '1e300']],
      ['JSON', [`'{"a": 1.0, "b": 12345678901234567890}'`, "'[0.10]'"]],
    ] as const
  ).map(([type, values]) =>
    right(`7. ${type} to TEXT, digits lost`, {
      ...{ ...column(`v ${type} NULL`, values), alter: 'MODIFY v TEXT NULL', writes: events('v', values) },
    }),
  ),

  right('8. BIT(64) to BIGINT UNSIGNED, 0', {
    ...column('v BIT(64) NULL', ["b'1'", "X'FFFFFFFFFFFFFFFF'"]),
    ...{ alter: 'MODIFY v BIGINT UNSIGNED NULL', writes: events('v', ["X'8000000000000001'", "b'10'"]) },
  }),
  right('8. latin1 to VARBINARY, other bytes', {
    ...column('v VARCHAR(40) CHARACTER SET latin1 NULL', ['Zoë', '€ 5'].map(utf8)),
    ...{ alter: 'MODIFY v VARBINARY(40) NULL', writes: events('v', ['naïve', '£'].map(utf8)) },
  }),

  right(
    '9. JSON that holds DATETIME, DECIMAL, BLOB and 1.0, as other types',
    {
      ...column('j JSON NULL', [
        "JSON_OBJECT('v', 3.0e0)",
        "JSON_OBJECT('v', CAST(1.50 AS DECIMAL(10,2)))",
        "JSON_OBJECT('v', CAST('2024-01-02 03:04:05' AS DATETIME))",
        "JSON_OBJECT('v', X'00FF')",
      ]),
      alter: 'ADD COLUMN x INT NULL',
      writes: events('j', ["JSON_OBJECT('v', CAST('10:11:12' AS TIME))", "JSON_OBJECT('v', 1.0e0)"]),
    },
    async (test) => {
      const types = (table: string): Promise<unknown[]> =>
        test.query(`SELECT id, JSON_TYPE(JSON_EXTRACT(j, '$.v')) AS type FROM ${table} ORDER BY id`);
      const found = await types('emails');
      expect(found).to.deep.equal(await types('native'));
      expect(JSON.stringify(found))
        .to.match(/DATETIME.*DECIMAL|DECIMAL.*DATETIME/)
        .and.contain('"TIME"')
        .and.contain('BLOB')
        .and.contain('DOUBLE');
    },
    // JSON is text on MariaDB.
    'mysql',
  ),

  ...(
    [
      ['TRUNCATE', ['TRUNCATE TABLE emails', 'INSERT INTO emails (slot) VALUES (1), (8)']],
      ['ADD INDEX', ['ALTER TABLE emails ADD INDEX theirs (code)']],
    ] as const
  ).map(([what, writes]) =>
    refused(`10. ${what} by somebody else during the run`, 'LHM_ORIGIN_CHANGED', {
      // All of it once the rows were copied.
      ...{
        ...NUMBERED,
        alter: 'ADD COLUMN x INT NULL',
        writes: writes.flatMap((sql) => ['DO 0', sql, 'DO 0']),
      },
    }),
  ),

  right(
    '11. a session with compressed binlog transactions and partial JSON, its changes missing',
    {
      ...column('j JSON NULL', [`'{"a": 1, "long": "${'x'.repeat(200)}"}'`]),
      session: [
        'SET SESSION binlog_transaction_compression = ON',
        "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
      ],
      ...{
        alter: 'ADD COLUMN x INT NULL',
        writes: events('j', ["JSON_SET(j, '$.a', 2)", "JSON_REMOVE(j, '$.a')"]),
      },
    },
    undefined,
    'mysql',
  ),
  right(
    '11. compressed binlog events, their changes missing',
    {
      ...{ ...NUMBERED, alter: 'ADD COLUMN x INT NULL', writes: events('code', ["'new'", 'NULL']) },
      globals: { log_bin_compress: '1' },
    },
    undefined,
    'mariadb',
  ),

  right(
    '12. UNIQUE (a, (b + 0)) taken for UNIQUE (a), three rows deleted for one',
    {
      ...column('a INT NOT NULL, b INT NOT NULL, UNIQUE KEY both_unique (a, (b + 0))', ['1, id', '2, id']),
      rows: [1, 2, 3, 4, 5, 6].map((n) => `INSERT INTO emails VALUES (${n}, 1, ${n})`),
      alter: 'ADD COLUMN x INT NULL',
      writes: [
        'DELETE FROM emails WHERE id = 1',
        'DELETE FROM emails WHERE id = 2',
        'DELETE FROM emails WHERE id = 3',
      ],
    },
    async (test) => {
      expect((await test.rows()).map((row) => row['id'])).to.deep.equal([4, 5, 6]);
    },
    // MariaDB has no such keys.
    'mysql',
  ),
  {
    ...refused('12. no key but UNIQUE (a, (b + 0))', 'LHM_NO_USABLE_KEY', {
      columns: 'id INT NULL, a INT NOT NULL, b INT NOT NULL, UNIQUE KEY both_unique (a, (b + 0))',
      rows: ['INSERT INTO emails VALUES (1, 1, 1), (2, 1, 2)'],
      alter: 'ADD COLUMN x INT NULL',
    }),
    only: 'mysql',
  },

  {
    title: "13. changes by a foreign key's cascade, which fires no trigger: right",
    run: async (stage) => {
      const { migrated, written } = await stage.play({
        columns:
          'id INT PRIMARY KEY, parent INT NULL, CONSTRAINT up FOREIGN KEY (parent) REFERENCES emails (id) ON DELETE SET NULL',
        rows: ['INSERT INTO emails VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 4), (6, 5), (7, 3)'],
        alter: 'ADD COLUMN x INT NULL',
        // Not while a chunk is being copied: it locks the parents of its rows.
        writes: [
          'DO 0',
          ...[1, 4].map((id) => `DELETE FROM emails WHERE id = ${id}`),
          'DO 0',
          'DELETE FROM emails WHERE id = 5',
        ],
      });
      await migrated;
      const { test } = stage;
      expect(written().rows).to.deep.equal([
        { id: 2, parent: null },
        { id: 3, parent: null },
        { id: 6, parent: null },
        { id: 7, parent: 3 },
      ]);
      expect(without(await test.rows(), 'x')).to.deep.equal(written().rows);
      expect(await test.definition()).to.match(
        /CONSTRAINT `up` FOREIGN KEY .* REFERENCES `emails` .* ON DELETE SET NULL/,
      );
      await expectNoLeaks(test);
    },
  },

  refused('14. duplicates under a new UNIQUE, one of each kept', 'LHM_DUPLICATE_ROWS', {
    ...column('code VARCHAR(20) NULL', ["'a'", "'b'"]),
    alter: 'ADD UNIQUE KEY code_unique (code)',
  }),
  refused('14. duplicates that come about during the copy', 'LHM_DUPLICATE_ROWS', {
    ...{ ...NUMBERED, alter: 'ADD UNIQUE KEY code_unique (code)' },
    writes: ["UPDATE emails SET code = 'c8' WHERE id = 1"],
  }),

  ...(
    [
      ['VARCHAR(50)', 'VARCHAR(4) NULL', "'abc'", "'abcde'"],
      ['INT', 'INT NOT NULL', '5', 'NULL'],
      ['BIGINT', 'TINYINT NULL', '5', '300'],
      ["ENUM('red', 'green')", "ENUM('red') NULL", "'red'", "'green'"],
      ['VARCHAR(50)', 'VARCHAR(50) CHARACTER SET latin1 NULL', "'Zoë'", "'Łódź'"],
    ] as const
  ).flatMap(([from, to, good, bad]) =>
    [0, 1, 2].map((place) =>
      refused(
        `15. ${bad} in a ${from} that becomes ${to}, written at place ${place + 1}, cut or zeroed`,
        LOST,
        {
          ...{ ...column(`v ${from} NULL`, [good]), alter: `MODIFY v ${to}` },
          writes: [...Array<string>(place).fill('DO 0'), `UPDATE emails SET v = ${bad} WHERE id = 1`],
        },
        (error) => {
          expect(error.message).to.contain('(id = 1)');
        },
      ),
    ),
  ),

  right(
    '16. the counter after deletes with cached statistics, ids given out again',
    {
      columns: NUMBERED.columns,
      rows: [
        ...NUMBERED.rows,
        // Whoever asks the information schema now is told the same for a day.
        'ANALYZE TABLE emails',
        'SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()',
        'INSERT INTO emails (slot) VALUES (9), (10)',
        'DELETE FROM emails WHERE slot >= 9',
      ],
      alter: 'ADD COLUMN x INT NULL',
      writes: ['INSERT INTO emails (slot) VALUES (11)', 'DELETE FROM emails WHERE slot = 11'],
    },
    async (test) => {
      await test.query('INSERT INTO emails (slot) VALUES (12)');
      expect((await test.rows()).at(-1)).to.include({ id: 12, slot: 12 });
    },
  ),

  right(
    '17. triggers kept with another definer, sql_mode and name',
    {
      columns: NUMBERED.columns,
      rows: [
        ...NUMBERED.rows,
        "SET SESSION sql_mode = 'ANSI_QUOTES'",
        'CREATE DEFINER = root@localhost TRIGGER "theirs" BEFORE INSERT ON "emails" FOR EACH ROW SET NEW."slot" = NEW."slot" + 100',
        'SET SESSION sql_mode = DEFAULT',
      ],
      alter: 'ADD COLUMN x INT NULL',
      writes: [ROTATE, ROTATE],
    },
    async (test) => {
      const [shown] = await test.query<Record<string, string>>('SHOW CREATE TRIGGER theirs');
      expect(shown).to.include({ sql_mode: 'ANSI_QUOTES' });
      expect(shown?.['SQL Original Statement']).to.match(/DEFINER=["`]root["`]@["`]localhost["`]/);
      expect(await test.triggers()).to.deep.equal(['theirs']);
    },
  ),

  right(
    '18. CHECK constraints, renamed or lost',
    {
      ...column('v INT NULL, CONSTRAINT v_is_small CHECK (v < 100)', ['5', '6']),
      ...{ alter: 'ADD COLUMN x INT NULL', writes: events('v', ['99', 'NULL']) },
    },
    async (test) => {
      const told = await test.query('INSERT INTO emails (v) VALUES (100)').then(
        () => 'accepted',
        (error: unknown) => String(error),
      );
      expect(told).to.match(/constraint/i);
      // On MySQL names are unique in a schema, and the kept original has it; the plan says so.
      if (test.server.flavor === 'mariadb') expect(await test.definition()).to.contain('v_is_small');
    },
  ),

  {
    title: '19. a run that goes on with the change of an earlier one: right',
    run: async (stage) => {
      const test = await stage.create(NUMBERED);
      const killed = ChildMigration.start(test, {
        ...{ alter: 'ADD COLUMN first INT NULL', stop: { hook: 'afterRowCopy' } },
      });
      await killed.reached();
      await killed.kill();
      await test.query("UPDATE emails SET code = 'meanwhile' WHERE id = 3");
      await until('the end of the killed connections', async () =>
        (await migrationConnections(test)).length === 0 ? true : undefined,
      );
      const { oldTable } = await test.migrate('ADD COLUMN second INT NULL');
      expect(await test.definition())
        .to.contain('`second`')
        .and.not.to.contain('`first`');
      const rows = (await test.rows(oldTable!)).map((row) => ({ ...row, second: null }));
      expect(await test.rows()).to.deep.equal(rows);
      expect(rows[2]).to.include({ code: 'meanwhile' });
      await expectNoLeaks(test);
    },
  },

  right('20. a session with sql_log_bin = 0, its changes missing', {
    ...{ ...NUMBERED, session: ['SET SESSION sql_log_bin = 0'], alter: 'ADD COLUMN x INT NULL' },
    writes: events('code', ["'unlogged'", 'NULL']),
  }),
];

const GH_OST_LOUDLY: readonly Corruption[] = [
  right('a change that could be made INSTANT, a run that never ends', {
    ...{ ...NUMBERED, alter: 'ADD COLUMN x INT NULL DEFAULT 3', writes: events('code', ["'new'"]) },
  }),
  right(
    'tables with names like those of its helpers, refused or dropped',
    {
      columns: NUMBERED.columns,
      rows: [
        ...NUMBERED.rows,
        ...['emailsxlhmn', 'xemails_lhmn', 'xemails_lhms', 'emailsxlhms', 'emails_lhmnx'].map(
          (name) => `CREATE TABLE ${name} (id INT PRIMARY KEY)`,
        ),
      ],
      ...{ alter: 'ADD COLUMN x INT NULL', writes: events('code', ["'new'"]) },
    },
    async (test) => {
      const others = (await test.tables()).filter((name) => /^(x|emailsx|emails_lhmnx)/.test(name));
      expect(others).to.have.length(5);
      await test.query('DROP TABLE xemails_lhmn, xemails_lhms');
    },
  ),
  right('columns with a back-tick, a comma, a quote and a question mark in their names, an error', {
    columns:
      "id INT AUTO_INCREMENT PRIMARY KEY, `a``b` INT NULL, `c,d` INT NULL, `it's` INT NULL, `e?` INT NULL",
    rows: ['INSERT INTO emails VALUES (1, 1, 1, 1, 1), (2, 2, 2, 2, 2), (3, 3, 3, 3, 3)'],
    alter: 'CHANGE `a``b` `b``a` BIGINT NULL, ADD INDEX (`c,d`)',
    writes: [
      "UPDATE emails SET `a``b` = 7, `c,d` = 8, `it's` = 9",
      'UPDATE emails SET `e?` = 1',
      'DELETE FROM emails WHERE `c,d` = 8 AND id = 2',
    ],
  }),
  {
    title:
      'a clean-up that fails, reported as success: an error that says the tables were swapped, and what is left',
    run: async (stage) => {
      const test = await stage.create(NUMBERED);
      const done = intercept(test.knex, {
        ...{
          match: stage.server.mode === 'binlog' ? /^DROP TABLE .*_lhmj/ : /^DROP TRIGGER/,
          when: 'before',
        },
        run: async (connection) => {
          await test.query(`KILL ${connection}`);
        },
      });
      const error = await test.failure('ADD COLUMN x INT NULL', { reconnectMs: 0 });
      expect(done.happened).to.equal(true);
      expect(error.outcome).to.equal('swapped');
      expect(error.leftovers).not.to.deep.equal([]);
      await expectTruthfulLeftovers(test, error);
    },
  },
];

const PT_OSC: readonly Corruption[] = [
  refused('MODIFY … UNIQUE over duplicates, rows dropped', 'LHM_DUPLICATE_ROWS', {
    ...{ ...column('x INT NULL', ['1', '2']), alter: 'MODIFY x INT NULL UNIQUE' },
  }),
  refused('MODIFY … UNIQUE where duplicates come about meanwhile', 'LHM_DUPLICATE_ROWS', {
    ...{ ...column('x INT NULL', ['NULL']), alter: 'MODIFY x INT NULL UNIQUE' },
    writes: ['UPDATE emails SET x = 5 WHERE id IN (1, 7)'],
  }),
  ...([0, 1, 2] as const).map((place) =>
    refused(
      `a coarser collation, 'Ann' and 'ANN' at place ${place + 1}, rows dropped`,
      'LHM_DUPLICATE_ROWS',
      {
        columns: 'id INT PRIMARY KEY, code VARCHAR(20) COLLATE utf8mb4_bin NULL UNIQUE',
        rows: ["INSERT INTO emails VALUES (1, 'Ann'), (2, 'b'), (3, 'c'), (4, 'd')"],
        alter: 'MODIFY code VARCHAR(20) COLLATE utf8mb4_general_ci NULL',
        writes: [...Array<string>(place).fill('DO 0'), "UPDATE emails SET code = 'ANN' WHERE id = 4"],
      },
    ),
  ),
];

const LHM: readonly Corruption[] = [
  {
    title: 'rows deleted under READ COMMITTED while their chunk is copied, risen from the dead: right',
    run: async (stage) => {
      const test = await stage.create(NUMBERED);
      const deleter = await test.connect();
      await deleter.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
      const { oldTable } = await test.migrate('ADD COLUMN x INT NULL', {
        chunk: { rows: 3 },
        hooks: {
          beforeRowCopy: async () => {
            await deleter.query('START TRANSACTION');
            await deleter.query('DELETE FROM emails WHERE id IN (2, 5)');
          },
          // Both chunks were copied while nobody but the deleter knew.
          afterRowCopy: async () => {
            expect(await test.query('SELECT id FROM emails_lhmn WHERE id IN (2, 5)')).to.have.length(2);
            await deleter.query('COMMIT');
          },
        },
      });
      expect((await test.rows()).map((row) => row['id'])).to.deep.equal([1, 3, 4, 6, 7, 8]);
      expect(await test.rows(oldTable!)).to.have.length(6);
      await expectNoLeaks(test);
    },
  },
  right(
    'primary keys that change, ghosts of the old ones left',
    {
      ...{ ...NUMBERED, alter: 'ADD COLUMN x INT NULL' },
      writes: [
        ['UPDATE emails SET id = 100 WHERE id = 1', 'UPDATE emails SET id = 1 WHERE id = 8'],
        'UPDATE emails SET id = id + 200 WHERE id IN (2, 3)',
        'UPDATE emails SET id = -5 WHERE id = 100',
      ],
    },
    async (test) => {
      expect((await test.rows()).map((row) => row['id'])).to.deep.equal([-5, 1, 4, 5, 6, 7, 202, 203]);
    },
  ),
  right(
    'the id 0, which becomes 1',
    {
      columns: NUMBERED.columns,
      rows: [...NUMBERED.rows, 'UPDATE emails SET id = 0 WHERE id = 4'],
      alter: 'ADD COLUMN x INT NULL',
      writes: ["UPDATE emails SET code = 'zero' WHERE id = 0", 'UPDATE emails SET id = 0 - id WHERE id = 0'],
    },
    async (test) => {
      expect((await test.rows())[0]).to.include({ id: 0, code: 'zero' });
    },
  ),
];

const LISTS: Readonly<Record<string, readonly Corruption[]>> = {
  'gh-ost was seen to do silently': GH_OST,
  'gh-ost does loudly': GH_OST_LOUDLY,
  'pt-online-schema-change does with its defaults': PT_OSC,
  'other tools of this kind do': LHM,
};

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`corruptions of other tools on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let stage: Stage;

    before(async () => {
      server = await startServer(flavor, { mode });
      stage = new Stage(server, flavor);
    });
    after(() => server.stop());
    afterEach(() => stage.drop());

    // The log has no change of these sessions: README says to take triggers then.
    const isToBe = ({ title, only }: Corruption): boolean =>
      (only === undefined || only === flavor) && (mode === 'triggers' || !title.includes('sql_log_bin = 0'));

    for (const [whose, corruptions] of Object.entries(LISTS)) {
      describe(`what ${whose}`, () => {
        for (const { title, run } of every(2, corruptions.filter(isToBe))) it(title, () => run(stage));
      });
    }
  });
}
