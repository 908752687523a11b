import { expect } from 'chai';

import { largeHadronMigrate } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';
import { ADD_COLUMN, expectRefused, itRefuses, type BadInput } from '../support/test-table-refusal';

const FOREIGN_KEY = 'CONSTRAINT note_owner FOREIGN KEY (owner) REFERENCES';

/** Tables that cannot be migrated. */
const TABLES: readonly BadInput[] = [
  {
    what: 'a table that does not exist',
    code: 'LHM_NO_SUCH_TABLE',
    migrate: 'emails_of_nobody',
    says: /emails_of_nobody/,
  },
  {
    what: 'a table in a schema that does not exist',
    code: 'LHM_NO_SUCH_TABLE',
    migrate: 'lhm_nowhere.emails',
    says: /lhm_nowhere\.emails/,
  },
  {
    what: 'a name with two dots',
    code: 'LHM_BAD_TABLE_NAME',
    phase: 'plan',
    migrate: 'a.b.emails',
    hints: /schema\.emails/,
  },
  {
    what: 'a view',
    code: 'LHM_NOT_A_TABLE',
    before: ['CREATE VIEW emails_view AS SELECT id, address FROM emails'],
    migrate: 'emails_view',
    says: /view/,
  },
  {
    what: 'a sequence',
    only: 'mariadb',
    code: 'LHM_NOT_A_TABLE',
    before: ['CREATE SEQUENCE emails_seq'],
    migrate: 'emails_seq',
    says: /sequence/,
  },
  {
    what: 'a system-versioned table',
    only: 'mariadb',
    code: 'LHM_NOT_A_TABLE',
    before: ['ALTER TABLE emails ADD SYSTEM VERSIONING', "UPDATE emails SET note = 'b' WHERE id = 1"],
    says: /system versioned/,
    hints: /history/,
  },
  {
    what: 'a table without any key',
    code: 'LHM_NO_USABLE_KEY',
    table: { columns: 'a INT NOT NULL, b INT, KEY (a)' },
    hints: /primary key/i,
  },
  {
    what: 'a table whose only unique key may hold NULL',
    code: 'LHM_NO_USABLE_KEY',
    table: { columns: 'a INT NULL, b INT, UNIQUE KEY a_unique (a)' },
    says: /a_unique.*NULL/,
  },
  {
    what: 'a table whose only key is a FLOAT',
    code: 'LHM_NO_USABLE_KEY',
    table: { columns: 'a FLOAT NOT NULL PRIMARY KEY, b INT' },
    says: /PRIMARY.*float/i,
  },
  {
    what: 'a table whose only unique key covers a prefix',
    code: 'LHM_NO_USABLE_KEY',
    table: { columns: 'a VARCHAR(50) NOT NULL, b INT, UNIQUE KEY a_unique (a(10))' },
    says: /a_unique.*prefix/,
  },
  {
    what: 'a table whose only exact key is invisible',
    code: 'LHM_NO_USABLE_KEY',
    only: 'mysql',
    table: { columns: 'f FLOAT NOT NULL PRIMARY KEY, a INT NOT NULL, UNIQUE KEY a_unique (a) INVISIBLE' },
    says: /a_unique.*invisible/,
  },
  {
    what: 'a table whose only exact key is ignored',
    code: 'LHM_NO_USABLE_KEY',
    only: 'mariadb',
    table: { columns: 'f FLOAT NOT NULL PRIMARY KEY, a INT NOT NULL, UNIQUE KEY a_unique (a) IGNORED' },
    says: /a_unique.*invisible/,
  },
  {
    what: 'a table whose only unique key holds an expression',
    code: 'LHM_NO_USABLE_KEY',
    only: 'mysql',
    table: { columns: 'a INT NOT NULL, b INT, UNIQUE KEY a_unique ((a + 1))' },
    says: /a_unique.*expression/,
  },
  {
    what: 'a table whose only unique key is a hash over text',
    code: 'LHM_NO_USABLE_KEY',
    only: 'mariadb',
    table: { columns: 'a TEXT NOT NULL, b INT, UNIQUE KEY a_unique (a)' },
    says: /a_unique.*HASH/,
  },
  {
    what: 'a table whose only unique key is over a generated column',
    code: 'LHM_NO_USABLE_KEY',
    table: { columns: 'a INT NOT NULL, g INT AS (a + 1) STORED, UNIQUE KEY g_unique (g)' },
    says: /g_unique.*(generated|NULL)/,
  },
  {
    what: 'a long name beyond ASCII, behind which none sorts',
    code: 'LHM_NAME_ORDER',
    table: { table: 'é'.repeat(64) },
    says: /sorts after/,
    hints: /shorten/,
  },
  {
    what: 'a table of MyISAM',
    code: 'LHM_UNSUPPORTED_ENGINE',
    before: ['ALTER TABLE emails ENGINE = MyISAM'],
    says: /MyISAM/,
    hints: /InnoDB/,
  },
  {
    what: 'a table with a trigger, where that is not wanted',
    code: 'LHM_TABLE_HAS_TRIGGERS',
    before: ['CREATE TRIGGER emails_audit BEFORE INSERT ON emails FOR EACH ROW SET NEW.size = NEW.size + 0'],
    options: { triggers: { existing: 'refuse' } },
    says: /emails_audit/,
  },
  {
    what: 'a table that is the child of a foreign key and is not to be migrated then',
    code: 'LHM_FOREIGN_KEYS',
    options: { foreignKeys: 'refuse' },
    before: [
      'CREATE TABLE owners (id INT PRIMARY KEY)',
      `ALTER TABLE emails ADD COLUMN owner INT NULL, ADD ${FOREIGN_KEY} owners (id)`,
    ],
    says: /note_owner/,
  },
  {
    what: 'a table that is the parent of a foreign key and is not to be migrated then',
    code: 'LHM_FOREIGN_KEYS',
    options: { foreignKeys: 'refuse' },
    before: [`CREATE TABLE notes (id INT PRIMARY KEY, owner INT UNSIGNED, ${FOREIGN_KEY} emails (id))`],
    says: /note_owner/,
  },
  {
    what: 'a table that references itself and is not to be migrated then',
    code: 'LHM_FOREIGN_KEYS',
    options: { foreignKeys: 'refuse' },
    before: [`ALTER TABLE emails ADD COLUMN owner INT UNSIGNED NULL, ADD ${FOREIGN_KEY} emails (id)`],
    says: /note_owner/,
  },
];

/** Names the migration needs, borne by something else. */
const NAMES: readonly BadInput[] = [
  ...(['emails_lhmn', 'emails_lhms'] as const).map((name) => ({
    what: `a user's table called ${name}`,
    code: 'LHM_NAME_TAKEN',
    before: [
      `CREATE TABLE ${name} (id INT PRIMARY KEY, precious VARCHAR(10))`,
      `INSERT INTO ${name} VALUES (1, 'gold')`,
    ],
    says: new RegExp(name),
  })),
  {
    what: "a user's table called emails_lhms that looks like a migration's own",
    code: 'LHM_PREFLIGHT',
    before: [
      'CREATE TABLE emails_lhms (id INT PRIMARY KEY, epoch VARCHAR(64), record TEXT, copied_to TEXT)',
      'CREATE TABLE emails_lhmn (id INT PRIMARY KEY, precious VARCHAR(10))',
      "INSERT INTO emails_lhmn VALUES (1, 'gold')",
    ],
    says: /emails_lhms/,
  },
  {
    what: 'a view called emails_lhmn',
    code: 'LHM_NAME_TAKEN',
    before: ['CREATE VIEW emails_lhmn AS SELECT 1 AS one'],
    says: /emails_lhmn/,
  },
  {
    what: "another table's trigger called emails_lhmi",
    code: 'LHM_NAME_TAKEN',
    before: [
      'CREATE TABLE others (id INT PRIMARY KEY)',
      'CREATE TRIGGER emails_lhmi BEFORE INSERT ON others FOR EACH ROW SET NEW.id = NEW.id + 0',
    ],
    says: /emails_lhmi.*others/,
  },
];

/** The first argument can be anything in JavaScript. */
const NOT_NAMES: readonly [what: string, name: unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['an empty string', ''],
  ['a dot', '.'],
  ['a schema without a table', 'app.'],
  ['a table without its schema', '.emails'],
];

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`refusals on ${on}`, function () {
    // The first run on a machine fetches the server.
    this.timeout(300_000);

    let server: RunningServer;

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    describe('of tables', () => {
      itRefuses(flavor, () => server, every(4, TABLES));

      for (const [what, name] of NOT_NAMES) {
        it(`a name that is ${what}`, async () => {
          const test = await TestTable.create(server);
          const before = await test.snapshot();
          const error = await failureOf(largeHadronMigrate(name as string, { knex: test.knex }, ADD_COLUMN));
          expect(error).to.include({ code: 'LHM_BAD_TABLE_NAME', phase: 'plan', outcome: 'untouched' });
          expect(error.hint).to.match(/'emails'/);
          expect(await test.snapshot()).to.deep.equal(before);
          await test.drop();
        });
      }

      it('a name without a schema, from a connection without a database', async () => {
        const test = await TestTable.create(server);
        const knex = test.makeKnex({ connection: { ...server.connection } });
        await expectRefused(
          test,
          { code: 'LHM_BAD_TABLE_NAME', phase: 'plan', says: /names no database/, hints: /schema\.table/ },
          () => test.failure(ADD_COLUMN, { knex }),
        );
        await test.drop();
      });
    });

    describe('of names that are taken', () => itRefuses(flavor, () => server, every(4, NAMES)));

    it('reports several problems together, each with its own way out', async () => {
      const test = await TestTable.create(server, { columns: 'a INT NULL, b INT' });
      await test.query('ALTER TABLE emails ENGINE = MyISAM');
      await test.query('CREATE TABLE emails_lhmn (id INT PRIMARY KEY)');
      await test.query('CREATE TRIGGER audit BEFORE INSERT ON emails FOR EACH ROW SET NEW.b = 1');
      const expected = {
        code: 'LHM_PREFLIGHT',
        problems: ['LHM_NAME_TAKEN', 'LHM_NO_USABLE_KEY', 'LHM_TABLE_HAS_TRIGGERS', 'LHM_UNSUPPORTED_ENGINE'],
      };
      const options = { triggers: { existing: 'refuse' } } as const;
      const error = await expectRefused(test, expected, () => test.failure(ADD_COLUMN, options));
      for (const problem of error.problems) {
        expect(error.message).to.contain(problem.code).and.contain(problem.message);
        expect(error.hint).to.contain(problem.hint);
      }
      await test.drop();
    });
  });
}
