import { expect } from 'chai';

import { largeHadronCleanUp, planLargeHadronMigration } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import type { Feature } from '../support/features/feature';
import { itComesOutAsNative } from '../support/features/it-comes-out-as-native';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { quote, TestTable } from '../support/test-table';

const row = (i: number): Record<string, string> => ({ a: String(i), v: `'v${i}'` });
const COLUMNS = 'id INT NOT NULL PRIMARY KEY, a INT NULL, v VARCHAR(20) NOT NULL';

const LONG = 'abcdefghij'.repeat(7);

const ODD_COLUMNS: readonly (readonly [what: string, name: string])[] = [
  ['spaces', ' my column'],
  ['quotes', `it's "the" column`],
  ['back-ticks', '`col``umn`'],
  ['a backslash and a percent sign', 'a\\b%c_d'],
  ['a question mark and a colon', '? :x ??'],
  ['a dot', 'emails.id'],
  ['a reserved word', 'select'],
  ['64 characters', LONG.slice(0, 64)],
  ['letters beyond ASCII', 'größe邮件'],
  ['a comment in it', '/* -- # */'],
  ['the name that a key gets in a result', 'hadron_k0'],
  ['the name of a column that ages the definition', 'hadron_view'],
  ['digits', '123'],
];

const odd = (name: string): string => quote(name);

const COLUMN_NAMES: readonly Feature[] = ODD_COLUMNS.flatMap(([what, name]): Feature[] => [
  {
    what: `a key column whose name has ${what}`,
    columns: `${odd(name)} INT NOT NULL, a INT NULL, v VARCHAR(20) NOT NULL, PRIMARY KEY (${odd(name)}), KEY (a)`,
    key: name,
    row,
    alter: 'ADD COLUMN x INT NULL',
  },
  {
    what: `columns whose names have ${what}, among them one that is renamed and one that is converted`,
    columns: `${COLUMNS}, ${odd(name)} VARCHAR(30) NOT NULL, ${odd(`${name.slice(0, 60)}__2`)} INT NULL, g INT AS (LENGTH(${odd(name)})) STORED, KEY by_it (${odd(name)}, a)`,
    row: (i) => ({ ...row(i), [name]: `'x${i}'`, [`${name.slice(0, 60)}__2`]: String(i) }),
    alter: `RENAME COLUMN ${odd(`${name.slice(0, 60)}__2`)} TO ${odd(`${name.slice(0, 60)}__3`)}, MODIFY a BIGINT NULL, ADD COLUMN ${odd(`${name.slice(0, 60)}__4`)} INT NULL, ADD INDEX ${odd(`i${name.slice(0, 60)}`)} (${odd(name)})`,
    unlast: true,
  },
]);

const CHECK = 'CHECK (a < 100000), CHECK (a > -1)';

/** MySQL names CHECKs after the table, and renames them with it: names as long as can be. */
const TABLE_NAMES: readonly Feature[] = [
  ...[40, 45, 50, 57, 58].map((length): Feature => ({
    what: `a table with CHECKs whose name has ${length} characters`,
    table: LONG.slice(0, length),
    columns: `${COLUMNS}, ${CHECK}`,
    row,
    alter: 'ADD COLUMN x INT NULL CHECK (x > 5), MODIFY a BIGINT NULL',
    folded: true,
  })),
  {
    what: 'a table whose name has 64 characters, with a CHECK whose name has, too',
    table: LONG.slice(0, 64),
    columns: `${COLUMNS}, CONSTRAINT ${LONG.slice(1, 65)} CHECK (a < 100000), CONSTRAINT ${LONG.slice(2, 66)} CHECK (a > -1)`,
    row,
    alter: 'ADD COLUMN x INT NULL, MODIFY a BIGINT NULL',
    folded: true,
    otherwise: (native, flavor) =>
      flavor === 'mariadb' ? native : native.replace(/CONSTRAINT `(\w{59})\w{5}`/g, 'CONSTRAINT `$1_lhmn`'),
  },
  {
    what: 'a table whose name has back-ticks, quotes and blanks, with CHECKs',
    table: `my "table"\`s' x`,
    columns: `${COLUMNS}, ${CHECK}`,
    row,
    alter: 'ADD COLUMN x INT NULL CHECK (x > 5), MODIFY a BIGINT NULL',
    folded: true,
  },
];

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  describe(`names of every kind on ${on}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    describe('columns', () => itComesOutAsNative(flavor, () => server, every(3, COLUMN_NAMES)));
    describe('tables', () => itComesOutAsNative(flavor, () => server, every(3, TABLE_NAMES)));

    it('a database with an odd name', async () => {
      const test = await TestTable.create(server);
      const other = `${test.database} o\`d"d-'s`;
      await test.query(`CREATE DATABASE ${quote(other)}`);
      try {
        await test.query(`CREATE TABLE ${quote(other)}.emails LIKE emails`);
        await test.query(`INSERT INTO ${quote(other)}.emails SELECT * FROM emails`);
        const knex = test.makeKnex({}, { database: other });
        await test.migrate((t) => void t.integer('extra').defaultTo(3).index(), {
          knex,
          hooks: {
            afterRowCopy: () =>
              test.query(`UPDATE ${quote(other)}.emails SET size = 7 WHERE id = 5`).then(() => undefined),
          },
        });
        const rows = await test.query(`SELECT size, extra FROM ${quote(other)}.emails WHERE id IN (4, 5)`);
        expect(rows).to.deep.equal([
          { size: 40, extra: 3 },
          { size: 7, extra: 3 },
        ]);
        await expectNoLeaks(test);
      } finally {
        await test.query(`DROP DATABASE ${quote(other)}`);
        await test.drop();
      }
    });

    itOnce(
      'an emoji, which no name can hold, is refused by the server or becomes a question mark',
      async () => {
        const test = await TestTable.create(server);
        try {
          const error = await test.failure('ADD COLUMN x INT', {}, 'emails😀');
          expect(error).to.include({ code: 'LHM_BAD_TABLE_NAME', outcome: 'untouched' });
          const renamed = await test.failure('RENAME COLUMN note TO `note😀`');
          const code = flavor === 'mysql' ? 'LHM_ALTER_NOT_UNDERSTOOD' : 'LHM_ALTER_FAILED';
          expect(renamed).to.include({ code, outcome: 'untouched' });
          await expectNoLeaks(test);
        } finally {
          await test.drop();
        }
      },
    );

    itOnce('a CHECK without a name, for which the table’s name is too long', async () => {
      const test = await TestTable.create(server, {
        table: LONG.slice(0, 60),
        columns: 'id INT PRIMARY KEY, a INT',
      });
      try {
        if (flavor === 'mysql') {
          const error = await test.failure('ADD COLUMN x INT CHECK (x > 0)');
          expect(error, error.message).to.include({ code: 'LHM_CHECK_NAME_TOO_LONG', outcome: 'untouched' });
          await test.migrate('ADD COLUMN x INT, ADD CONSTRAINT short CHECK (x > 0)');
        } else {
          await test.migrate('ADD COLUMN x INT CHECK (x > 0)');
        }
        expect(await test.definition()).to.match(/CHECK \(+`x` > 0/);
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });

    itOnce('names of CHECKs come back when the old table is gone', async () => {
      const test = await TestTable.create(server, {
        columns: 'id INT PRIMARY KEY, a INT, CONSTRAINT positive CHECK (a > 0)',
      });
      try {
        const checks = async (): Promise<string[]> =>
          [...(await test.definition()).matchAll(/CONSTRAINT `(\w+)` CHECK/g)].map(([, name]) => name!);
        const names: string[][] = [];
        const kept: (string | null)[] = [];
        for (const column of ['x', 'y', 'z']) {
          kept.push((await test.migrate(`ADD COLUMN ${column} INT`)).oldTable);
          names.push(await checks());
        }
        expect(names).to.deep.equal(
          flavor === 'mariadb'
            ? [['positive'], ['positive'], ['positive']]
            : [['positive_lhmn'], ['positive_lhmn2'], ['positive_lhmn3']],
        );
        for (const old of kept) await test.query(`DROP TABLE ${old!}`);
        await test.migrate('ADD COLUMN w INT');
        expect(await checks()).to.deep.equal(['positive']);
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });

    itOnce('a CHECK named after its table that would become too long is refused', async () => {
      const check = `emails_chk_${'x'.repeat(50)}`;
      const test = await TestTable.create(server, {
        columns: `id INT PRIMARY KEY, a INT, CONSTRAINT ${check} CHECK (a > 0)`,
      });
      try {
        if (flavor === 'mariadb') {
          await test.migrate('ADD COLUMN x INT');
          expect(await test.definition()).to.contain(check);
        } else {
          const error = await test.failure('ADD COLUMN x INT');
          expect(error).to.include({ code: 'LHM_CHECK_NAME_TOO_LONG', outcome: 'untouched' });
          await test.query(/ALTER TABLE .* DROP CHECK [^;]*/.exec(error.hint)?.[0] ?? '');
          await test.migrate('ADD CONSTRAINT emails_chk_less CHECK (a > 0)');
        }
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });
  });

  describe(`names whose case does not matter on ${on}`, function () {
    let server: RunningServer;
    let test: TestTable;
    before(async () => (server = await startServer(flavor, { mode, args: ['--lower-case-table-names=1'] })));
    after(() => server.stop());
    beforeEach(async () => (test = await TestTable.create(server, { table: 'Emails' })));
    afterEach(() => test.drop());

    const write = (): Promise<void> =>
      test.query("UPDATE EMAILS SET note = 'meanwhile' WHERE id = 5").then(() => undefined);

    for (const name of every(3, ['Emails', 'emails', 'EMAILS'])) {
      it(`a table that is called ${name}`, async () => {
        const result = await test.migrate(
          async (t, ctx) => {
            t.integer('extra').index();
            await ctx.raw('ALTER TABLE EMails ADD COLUMN other INT DEFAULT 4');
            await ctx.raw('ALTER TABLE ?? ADD COLUMN third INT', [ctx.ghostTable]);
          },
          { hooks: { afterRowCopy: write } },
          name,
        );
        expect(result.table).to.equal(`${test.database}.emails`);
        expect(await test.query('SELECT note, other FROM emails WHERE id = 5')).to.deep.equal([
          { note: 'meanwhile', other: 4 },
        ]);
        // As Knex itself would have called it.
        expect((await test.definition()).toLowerCase()).to.contain(`\`${name.toLowerCase()}_extra_index\``);
        const { oldTables } = await largeHadronCleanUp('EMAILS', { knex: test.knex });
        expect(oldTables.map((old) => old.name)).to.deep.equal([result.oldTable]);
        await expectNoLeaks(test);
      });
    }

    it('a schema in capitals', async () => {
      await test.migrate(
        'ADD COLUMN extra INT',
        { hooks: { afterRowCopy: write } },
        `${test.database.toUpperCase()}.Emails`,
      );
      expect(await test.definition()).to.contain('`extra`');
      await expectNoLeaks(test);
    });

    itOnce('a plan, and a table that is not there', async () => {
      const plan = await planLargeHadronMigration('EMAILS', { knex: test.knex }, 'ADD COLUMN extra INT');
      expect(plan.problems).to.deep.equal([]);
      const error = await test.failure('ADD COLUMN extra INT', {}, 'Others');
      expect(error.code).to.equal('LHM_NO_SUCH_TABLE');
    });
  });
}
