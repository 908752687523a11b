import { expect } from 'chai';

import { largeHadronCleanUp, type LargeHadronError } from '../../lib';
import { createAccount, NEEDED } from '../support/account';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type Flavor, type RunningServer } from '../support/servers';
import { TestTable, type Options, type TestTableOptions } from '../support/test-table';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';

/** Statements in a hint, or in the hints of several problems. */
const STATEMENT =
  /(?:GRANT|DROP (?:TABLE|VIEW|SEQUENCE|TRIGGER)|ALTER TABLE|SET GLOBAL) [^;\n]*?(?=;| \(|\)|$)/gm;

interface WithStatement {
  readonly what: string;
  readonly code: string;
  readonly only?: Flavor;
  readonly table?: TestTableOptions;
  readonly before: readonly string[];
  readonly options?: Options;
}

/** What a statement of the hint does away with. */
const CASES: readonly WithStatement[] = [
  {
    ...{ what: "a user's table of the ghost's name", code: 'LHM_NAME_TAKEN' },
    before: ['CREATE TABLE emails_lhmn (id INT)'],
  },
  {
    ...{ what: "a view of the state table's name", code: 'LHM_NAME_TAKEN' },
    before: ['CREATE VIEW emails_lhms AS SELECT 1 AS one'],
  },
  {
    ...{ what: "a sequence of the ghost's name", code: 'LHM_NAME_TAKEN', only: 'mariadb' },
    before: ['CREATE SEQUENCE emails_lhmn'],
  },
  {
    ...{ what: "another table's trigger", code: 'LHM_NAME_TAKEN' },
    before: [
      'CREATE TABLE others (id INT PRIMARY KEY)',
      'CREATE TRIGGER emails_lhmi BEFORE INSERT ON others FOR EACH ROW SET NEW.id = NEW.id + 0',
    ],
  },
  {
    ...{ what: 'a table of MyISAM', code: 'LHM_UNSUPPORTED_ENGINE' },
    before: ['ALTER TABLE emails ENGINE = MyISAM'],
  },
  {
    ...{ what: 'a foreign key that leads here, unwanted', code: 'LHM_FOREIGN_KEYS' },
    options: { foreignKeys: 'refuse' },
    before: [
      'CREATE TABLE notes (id INT PRIMARY KEY, owner INT UNSIGNED, CONSTRAINT of_email FOREIGN KEY (owner) REFERENCES emails (id))',
    ],
  },
  {
    ...{ what: 'three problems at once', code: 'LHM_PREFLIGHT' },
    before: [
      'CREATE TABLE emails_lhmn (id INT)',
      'CREATE TABLE emails_lhms (id INT)',
      'ALTER TABLE emails ENGINE = MyISAM',
    ],
  },
];

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`what hints say to run, on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => {
      server = await startServer(flavor, { args: ['--log-bin-trust-function-creators=0'], mode });
    });
    after(() => server.stop());
    afterEach(() => test.drop());

    /** Runs the statements of the hint as the administrator; the next try must succeed. */
    async function followHint(error: LargeHadronError): Promise<void> {
      const statements = error.hint.match(STATEMENT) ?? [];
      expect(statements.length, error.hint).to.be.at.least(Math.max(1, error.problems.length));
      for (const sql of statements) await test.query(sql);
    }

    for (const { what, code, only, table, before, options } of CASES) {
      if (only !== undefined && only !== flavor) continue;
      it(`${what}: the statement of the hint does away with it`, async () => {
        test = await TestTable.create(server, table);
        for (const sql of before) await test.query(sql);
        await followHint(await expectRefused(test, { code }, () => test.failure(ADD_COLUMN, options)));
        await test.migrate(ADD_COLUMN, options);
        await expectNoLeaks(test);
      });
    }

    describe('an account', () => {
      beforeEach(async () => (test = await TestTable.create(server)));
      afterEach(() => test.query('SET GLOBAL log_bin_trust_function_creators = 0'));

      it('that may only read is granted all the rest, and trusted', async () => {
        const { knex, user } = await createAccount(test, ['SELECT']);
        const error = await expectRefused(test, { code: 'LHM_PREFLIGHT' }, () =>
          test.failure(ADD_COLUMN, { knex }),
        );
        expect(error.problems.map((problem) => problem.code)).to.deep.equal(
          Array(3).fill('LHM_MISSING_PRIVILEGE'),
        );
        await followHint(error);
        const again = test.makeKnex({}, { user, password: 'secret' });
        await test.migrate(ADD_COLUMN, { knex: again });
        await expectNoLeaks(test);
      });

      it('without PROCESS is granted it where older read views must be waited for', async () => {
        await test.query('SET GLOBAL log_bin_trust_function_creators = 1');
        const { knex, user } = await createAccount(test, NEEDED);
        const options: Options = { blindSpots: 'accept', cutOver: { oldReadViews: 'wait' } };
        await followHint(
          await expectRefused(test, { code: 'LHM_MISSING_PRIVILEGE' }, () =>
            test.failure(ADD_COLUMN, { ...options, knex }),
          ),
        );
        await test.migrate(ADD_COLUMN, { ...options, knex: test.makeKnex({}, { user, password: 'secret' }) });
        await expectNoLeaks(test);
      });
    });

    it('statements are logged: the format is changed', async () => {
      test = await TestTable.create(server);
      await test.withGlobal('binlog_format', "'STATEMENT'", async () => {
        await followHint(
          await expectRefused(test, { code: 'LHM_BINLOG_FORMAT' }, () => test.failure(ADD_COLUMN)),
        );
        await test.migrate(ADD_COLUMN, { knex: test.makeKnex() });
      });
      await expectNoLeaks(test);
    });

    it('another run that hangs: KILL ends it, and the next one cleans up after it', async () => {
      test = await TestTable.create(server);
      let wake = (): void => undefined;
      let asleep = (): void => undefined;
      const sleeping = new Promise<void>((resolve) => (asleep = resolve));
      const first = test.failure(ADD_COLUMN, {
        knex: test.makeKnex(),
        hooks: {
          beforeCutOver: () => {
            asleep();
            return new Promise<void>((resolve) => (wake = resolve));
          },
        },
      });
      await sleeping;
      const error = await test.failure(ADD_COLUMN);
      expect(error).to.include({ code: 'LHM_ALREADY_RUNNING', outcome: 'untouched' });
      await test.query(/KILL \d+/.exec(error.hint)![0]);
      await test.migrate(ADD_COLUMN);
      wake();
      expect(await first).to.include({ code: 'LHM_OWNERSHIP_LOST', outcome: 'rolled-back' });
      await expectNoLeaks(test);
      const { removed } = await largeHadronCleanUp('emails', { knex: test.makeKnex() });
      expect(removed).to.deep.equal([]);
    });

    it('a default that could differ on a replica: made in two steps', async () => {
      test = await TestTable.create(server);
      const alter = 'ADD COLUMN token CHAR(36) NOT NULL DEFAULT (UUID())';
      if (flavor === 'mariadb') {
        await test.migrate(alter);
      } else {
        const error = await test.failure(alter);
        expect(error).to.include({ code: 'LHM_ALTER_FAILED', outcome: 'untouched' });
        expect(error.hint).to.contain('ALTER COLUMN … SET DEFAULT').and.contain('ctx.values');
        await test.migrate(async (_t, ctx) => {
          await ctx.raw('ALTER TABLE emails ADD COLUMN token CHAR(36) NOT NULL');
          await ctx.raw('ALTER TABLE emails ALTER COLUMN token SET DEFAULT (UUID())');
          ctx.values['token'] = 'CONCAT(id)';
        });
        expect((await test.rows())[0]).to.include({ token: '1' });
      }
      expect(await test.definition()).to.match(/uuid\(\)/i);
    });
  });
}
