import { expect } from 'chai';
import type { Knex } from 'knex';
import type { Connection, TypeCastField } from 'mysql2';

import { largeHadronCleanUp, planLargeHadronMigration, type AlterFunction } from '../../lib';
import { FOR_THE_LOG } from '../support/account';
import { createExactTable, expectExact } from '../support/exact-table';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';

/** Settings of mysql2 that change what comes back, what is sent, or how. */
const SETTINGS: Readonly<Record<string, object>> = {
  'typeCast as a function that makes nonsense of everything': {
    typeCast: (field: TypeCastField) => {
      field.string();
      return 'nonsense';
    },
  },
  'typeCast off': { typeCast: false },
  rowsAsArray: { rowsAsArray: true },
  'nestTables by objects': { nestTables: true },
  'nestTables by a separator': { nestTables: '_' },
  'dateStrings off': { dateStrings: false },
  'dateStrings for some types': { dateStrings: ['DATE'] },
  'supportBigNumbers and bigNumberStrings off': { supportBigNumbers: false, bigNumberStrings: false },
  'supportBigNumbers without bigNumberStrings': { supportBigNumbers: true, bigNumberStrings: false },
  decimalNumbers: { decimalNumbers: true },
  namedPlaceholders: { namedPlaceholders: true },
  multipleStatements: { multipleStatements: true },
  'a single-byte charset': { charset: 'LATIN1_SWEDISH_CI' },
  'a collation': { charset: 'UTF8MB4_BIN' },
  'a timezone': { timezone: '+05:30' },
  'flags that change answers': { flags: ['FOUND_ROWS', 'MULTI_STATEMENTS', '-CONNECT_ATTRS'] },
  'flags as text': { flags: 'found_rows,-ignore_space' },
  stringifyObjects: { stringifyObjects: true },
  'jsonStrings off': { jsonStrings: false },
  'a queryFormat of its own': { queryFormat: (sql: string) => sql.replaceAll('?', "'?'") },
  'infileStreamFactory, keep-alive and a timeout': {
    ...{ infileStreamFactory: () => undefined, enableKeepAlive: true, keepAliveInitialDelay: 1000 },
    ...{ connectTimeout: 5000, connectAttributes: { program: 'spec' }, trace: false },
  },
};

/** Session variables that a careful or careless `afterCreate` sets, each of which would break something. */
const HOSTILE = [
  'SET NAMES latin1',
  "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'",
  "SET SESSION time_zone = '-03:30'",
  'SET SESSION autocommit = 0',
  'SET SESSION wait_timeout = 1, SESSION interactive_timeout = 1, SESSION net_read_timeout = 1',
  'SET SESSION lock_wait_timeout = 1, SESSION innodb_lock_wait_timeout = 1',
  'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY',
  'SET SESSION sql_select_limit = 1, SESSION sql_safe_updates = 1, SESSION max_join_size = 1, SESSION sql_big_selects = 0',
  'SET SESSION foreign_key_checks = 0, SESSION unique_checks = 0, SESSION sql_quote_show_create = 0',
  'SET SESSION group_concat_max_len = 4, SESSION sql_auto_is_null = 1, SESSION completion_type = 2',
  'SET SESSION max_error_count = 0, SESSION sql_notes = 0, SESSION max_sort_length = 4',
  'SET SESSION auto_increment_increment = 7, SESSION div_precision_increment = 0',
] as const;

const HOSTILE_TO = {
  mysql: [
    'SET SESSION sql_require_primary_key = 1, SESSION max_execution_time = 1',
    'SET SESSION sql_generate_invisible_primary_key = 1, SESSION show_gipk_in_create_table_and_information_schema = 0',
    "SET SESSION default_storage_engine = 'MyISAM', SESSION default_tmp_storage_engine = 'MyISAM'",
  ],
  mariadb: [
    'SET SESSION max_statement_time = 5, SESSION idle_transaction_timeout = 1, SESSION idle_write_transaction_timeout = 1',
    "SET SESSION alter_algorithm = 'INSTANT', SESSION default_storage_engine = 'MyISAM'",
  ],
} as const;

type Done = (error: unknown, connection: Connection) => void;

/** As the documentation of Knex has it: statement after statement, then the callback. */
function afterCreate(statements: readonly string[]): (connection: Connection, done: Done) => void {
  return (connection, done) => {
    const [sql, ...rest] = statements;
    if (sql === undefined) {
      done(null, connection);
      return;
    }
    connection.query(sql, (error) => {
      if (error === null) afterCreate(rest)(connection, done);
      else done(error, connection);
    });
  };
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (value === null || typeof value !== 'object' || value.constructor.name === 'ResultSetHeader')
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [camel(name), inner as unknown]));
}

/** What `knexSnakeCaseMappers` of objection gives. */
const MAPPERS: Knex.Config = {
  wrapIdentifier: (name, wrap) => wrap(snake(name)),
  postProcessResponse: (result: unknown) => camelKeys(result),
};

const pool = { min: 0, max: 1 };

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`configurations of Knex on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let test: TestTable;

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    afterEach(() => test.drop());

    describe('settings of the connection do not change what the library reads', () => {
      beforeEach(async () => {
        test = await createExactTable(server);
      });

      for (const [what, settings] of Object.entries(SETTINGS)) {
        it(what, async () => {
          await expectExact(test, test.makeKnex({ pool }, settings));
        });
      }

      it('all at once', async () => {
        const all = Object.assign({}, ...Object.values(SETTINGS)) as object;
        await expectExact(test, test.makeKnex({ pool }, all));
      });

      itOnce('and the plan is the same', async () => {
        const planWith = async (settings: object): Promise<string> => {
          const knex = test.makeKnex({ pool }, settings);
          const { text } = await planLargeHadronMigration('emails', { knex }, ADD_COLUMN);
          // How often is written to a table is reckoned from what passes in between, too.
          return text.replaceAll(/_\d{17}/g, '_<time>').replace(/[\d.,]+ (writes a second)/, '<some> $1');
        };
        const text = await planWith({});
        expect(await planWith(Object.values(SETTINGS)[0]!)).to.equal(text);
        expect(await planWith({ rowsAsArray: true, decimalNumbers: true, nestTables: true })).to.equal(text);
      });

      it("a Date in the alter function is written in the connection's timezone, as by Knex", async () => {
        const date = new Date('2026-03-04T05:06:07Z');
        await test.migrate(
          async (_t, ctx) => {
            await ctx.raw('ALTER TABLE ?? ADD COLUMN moved DATETIME NOT NULL DEFAULT ?', [
              ctx.ghostTable,
              date,
            ]);
          },
          { knex: test.makeKnex({ pool }, { timezone: '+05:30' }) },
        );
        expect(await test.definition()).to.contain("'2026-03-04 10:36:07'");
      });
    });

    describe('pool.afterCreate', () => {
      it('that sets every session variable that would break something breaks nothing', async () => {
        test = await createExactTable(server);
        const statements = [...HOSTILE, ...HOSTILE_TO[flavor]];
        // A row's text depends on the zone, which is the caller's; in UTC it is what the test's own connection sees.
        await expectExact(test, test.makeKnex({ pool: { ...pool, afterCreate: afterCreate(statements) } }));
      });

      it('decides how the change comes out, as in an ALTER of the same Knex', async () => {
        const columns =
          'id INT PRIMARY KEY, a VARCHAR(9) NOT NULL, at DATETIME NOT NULL, seen TIMESTAMP NOT NULL';
        test = await TestTable.create(server, { columns });
        await test.query("INSERT INTO emails VALUES (1, 'x', '2026-01-01 00:00:00', '2026-02-02 00:00:00')");
        await test.query('CREATE TABLE twin LIKE emails');
        await test.query('INSERT INTO twin SELECT * FROM emails');
        const set = ["SET SESSION sql_mode = 'PIPES_AS_CONCAT'", "SET SESSION time_zone = '-09:30'"];
        const knex = test.makeKnex({ pool: { ...pool, afterCreate: afterCreate(set) } });
        const change =
          'ADD COLUMN doubled VARCHAR(20) AS (a || a) STORED, MODIFY at TIMESTAMP NOT NULL, MODIFY seen DATETIME NOT NULL';
        await knex.raw(`ALTER TABLE twin ${change}`);
        await test.migrate(change, { knex });
        expect(await test.rows()).to.deep.equal(await test.rows('twin'));
        expect((await test.rows())[0]).to.include({ doubled: 'xx' });
      });

      it('that takes on a role lends the migration its privileges', async () => {
        test = await TestTable.create(server);
        const [user, role] = [`u_${test.database}`, `r_${test.database}`].map((name) => name.slice(-30));
        await test.query(`CREATE ROLE ${role!}`);
        await test.query(`CREATE USER '${user!}'@'%' IDENTIFIED BY 'secret'`);
        await test.query(`GRANT ALL ON \`${test.database}\`.* TO ${role!}`);
        const onServer = ['PROCESS', ...(mode === 'binlog' ? FOR_THE_LOG[flavor] : [])];
        await test.query(`GRANT ${onServer.join(', ')} ON *.* TO ${role!}`);
        await test.query(`GRANT ${role!} TO '${user!}'@'%'`);
        const take = afterCreate([`SET ROLE ${role!}`, `USE \`${test.database}\``]);
        const knex = test.makeKnex(
          { pool: { ...pool, afterCreate: take } },
          { user, password: 'secret', database: undefined },
        );
        await test.withGlobal('log_bin_trust_function_creators', '1', () =>
          test.migrate(ADD_COLUMN, { knex }),
        );
        expect(await test.definition()).to.contain('`extra`');
      });

      for (const [what, given, says] of [
        ['that fails', afterCreate(['SET SESSION no_such_variable = 1']), /no_such_variable/],
        [
          'that throws',
          () => {
            throw new Error('not today');
          },
          /not today/,
        ],
        ['that never calls back', () => undefined, /did not call back in 300 ms/],
      ] as const) {
        it(`${what} is told, and nothing is touched`, async () => {
          test = await TestTable.create(server);
          const knex = test.makeKnex({
            pool: { ...pool, afterCreate: given },
            acquireConnectionTimeout: 300,
          });
          const expected = { code: 'LHM_AFTER_CREATE_FAILED', phase: 'plan', says } as const;
          await expectRefused(test, expected, () => test.failure(ADD_COLUMN, { knex }));
        });
      }

      it('that turns the binary log off is refused: replicas would break', async () => {
        test = await TestTable.create(server);
        const knex = test.makeKnex({
          pool: { ...pool, afterCreate: afterCreate(['SET SESSION sql_log_bin = 0']) },
        });
        const expected = { code: 'LHM_NOT_LOGGED', phase: 'plan', hints: /afterCreate/ } as const;
        await expectRefused(test, expected, () => test.failure(ADD_COLUMN, { knex }));
      });
    });

    describe("the caller's pool", () => {
      it('of one connection, not in use, serves the hooks while the migration runs, and keeps its settings', async () => {
        test = await TestTable.create(server);
        const knex = test.makeKnex({ pool });
        await knex.raw("SET SESSION time_zone = '+01:00'");
        const who = async (): Promise<unknown> =>
          knex.select(knex.raw('CONNECTION_ID() AS id, @@time_zone AS zone'));
        const before = await who();
        const seen: unknown[] = [];
        const ask = async (): Promise<void> => {
          const [row] = await knex('emails').count<{ n: number }[]>({ n: '*' });
          seen.push(row?.n);
        };
        await test.migrate(ADD_COLUMN, {
          ...{
            knex,
            hooks: { beforeRowCopy: ask, afterRowCopy: ask, beforeCutOver: ask, afterCutOver: ask },
          },
        });
        expect(seen).to.deep.equal([30, 30, 30, 30]);
        expect(await who()).to.deep.equal(before);
        await expectNoLeaks(test);
      });
    });

    describe('asyncStackTraces, debug and log', () => {
      const failing: AlterFunction = (t) => {
        t.dropColumn('nonsense');
      };

      it('change nothing, and what Knex prints stays with its log', async () => {
        test = await TestTable.create(server);
        const lines: unknown[] = [];
        const line = (said: unknown): void => void lines.push(said);
        const log = {
          warn: line,
          error: line,
          debug: line,
          deprecate: line,
          inspectionDepth: 1,
          enableColors: false,
        };
        const knex = test.makeKnex({ pool, asyncStackTraces: true, debug: true, log });
        await test.migrate(ADD_COLUMN, { knex });
        const error = await test.failure(failing, { knex });
        expect(error).to.include({ code: 'LHM_ALTER_FAILED', outcome: 'untouched' });
        expect(await test.definition()).to.contain('`extra`');
        await expectNoLeaks(test);
      });
    });

    describe('with names mapped by Knex', () => {
      const COLUMNS =
        'id INT AUTO_INCREMENT PRIMARY KEY, first_name VARCHAR(20) NOT NULL, home_town VARCHAR(20)';
      let knex: Knex;

      beforeEach(async () => {
        test = await TestTable.create(server, { table: 'user_emails', columns: COLUMNS });
        await test.query(
          "INSERT INTO user_emails (first_name, home_town) VALUES ('Ann', 'Ulm'), ('Bob', NULL)",
        );
        await test.query('CREATE TABLE twin LIKE user_emails');
        knex = test.makeKnex({ ...MAPPERS, pool });
      });

      const change = (t: Knex.AlterTableBuilder): void => {
        t.string('lastName', 40).index();
        // Knex looks the old column up by the name it has on the server.
        t.renameColumn('first_name', 'givenName');
        t.index(['homeTown', 'lastName']);
      };

      for (const table of ['userEmails', 'user_emails']) {
        for (const column of ['lastName', 'last_name']) {
          it(`${table} with a value for ${column} becomes what knex.schema makes of it`, async () => {
            await knex.schema.renameTable('user_emails', 'kept_emails');
            await knex.schema.renameTable('twin', 'user_emails');
            await knex.schema.alterTable(table, change);
            const expected = (await test.definition('user_emails')).replace(/ AUTO_INCREMENT=\d+/, '');
            await knex.schema.dropTable('user_emails');
            await knex.schema.renameTable('kept_emails', 'user_emails');
            const result = await test.migrate(
              (t, ctx) => {
                change(t);
                ctx.values[column] = 'UPPER(first_name)';
              },
              { knex },
              table,
            );
            expect(result.table).to.equal(`${test.database}.user_emails`);
            expect((await test.definition()).replace(/ AUTO_INCREMENT=\d+/, '')).to.equal(expected);
            expect(await test.rows()).to.deep.equal([
              { id: 1, given_name: 'Ann', home_town: 'Ulm', last_name: 'ANN' },
              { id: 2, given_name: 'Bob', home_town: null, last_name: 'BOB' },
            ]);
            await expectNoLeaks(test);
          });
        }
      }

      it('columns.values and columns.renamed may be in the names of either side', async () => {
        await test.migrate(
          (t) => {
            t.string('lastName', 40);
            t.dropColumn('firstName');
            t.string('givenName', 20).notNullable();
          },
          {
            knex,
            columns: { renamed: { firstName: 'givenName' }, values: { lastName: 'UPPER(first_name)' } },
          },
          'userEmails',
        );
        const [row] = await test.rows();
        expect(row).to.include({ given_name: 'Ann', last_name: 'ANN' });
      });

      it('two values for one column, in the names of both sides, are told to contradict', async () => {
        const error = await test.failure(
          (t, ctx) => {
            t.string('lastName', 40);
            ctx.values['lastName'] = "'a'";
          },
          { knex, columns: { values: { last_name: "'b'" } } },
        );
        expect(error).to.include({ code: 'LHM_BAD_VALUES', outcome: 'untouched' });
      });

      it('reads of the alter function come as those of Knex', async () => {
        const sql = 'SELECT first_name FROM user_emails ORDER BY id';
        const [expected] = (await knex.raw(sql)) as unknown[];
        let seen: unknown;
        await test.migrate(
          async (t, ctx) => {
            t.integer('rowCount');
            [seen] = (await ctx.raw(sql)) as unknown[];
          },
          { knex },
        );
        expect(seen)
          .to.deep.equal(expected)
          .and.deep.equal([{ firstName: 'Ann' }, { firstName: 'Bob' }]);
      });

      it('the plan and the clean-up know the table by the same name', async () => {
        const plan = await planLargeHadronMigration('userEmails', { knex }, change);
        expect(plan.table).to.equal(`${test.database}.user_emails`);
        expect(await test.tables()).to.deep.equal(['twin', 'user_emails']);
        await test.migrate(change, { knex }, 'userEmails');
        const { oldTables } = await largeHadronCleanUp('userEmails', { knex, dropOldTablesAfterMs: 0 });
        expect(oldTables.map(({ dropped }) => dropped)).to.deep.equal([true]);
      });

      it('a schema before the table is mapped, or taken as it stands', async () => {
        await test.migrate(change, { knex }, `${test.database}.userEmails`);
        expect(await test.definition()).to.contain('`given_name`');
      });

      it('a table whose name the mapper would change into none is taken as it stands', async () => {
        const upper = test.makeKnex({ pool, wrapIdentifier: (name, wrap) => wrap(`x_${name}`) });
        await test.migrate((t) => void t.integer('size'), { knex: upper });
        expect(await test.definition()).to.contain('`x_size`');
      });
    });
  });
}
