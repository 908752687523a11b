import { expect } from 'chai';
import type { Knex } from 'knex';

import type { AlterFunction, LargeHadronError } from '../../lib';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, type Options } from '../support/test-table';
import { createAccount, NEEDED } from '../support/account';
import { expectRefused } from '../support/test-table-refusal';
import { expectNoLeaks } from '../support/leak-guard';

/** A conversion, a value and a new unique index, so that everything that takes a privilege is done. */
const THOROUGH: AlterFunction = (t, ctx) => {
  t.bigInteger('size').notNullable().defaultTo(0).alter();
  t.string('extra', 120);
  t.unique(['extra']);
  ctx.values['extra'] = 'CONCAT(id, address)';
};

for (const flavor of availableFlavors()) {
  describe(`refusals of servers and accounts on ${flavor}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let test: TestTable;

    before(async () => {
      server = await startServer(flavor, { args: ['--log-bin-trust-function-creators=0'] });
    });

    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
    });

    afterEach(() => test.drop());

    const trusting = <T>(work: () => Promise<T>): Promise<T> =>
      test.withGlobal('log_bin_trust_function_creators', '1', work);

    let user = '';

    /** A Knex for a new account. */
    async function account(onSchema: readonly string[], onServer: readonly string[] = []): Promise<Knex> {
      const created = await createAccount(test, onSchema, onServer);
      user = created.user;
      return created.knex;
    }

    /** What the account of `onServer` needs beside NEEDED, so that the server lets it do the rest. */
    const alsoNeeded = ['PROCESS'];

    function refused(
      code: string,
      says: RegExp,
      hints: RegExp,
      options: Options = {},
    ): Promise<LargeHadronError> {
      return expectRefused(test, { code, says, hints }, () => test.failure(THOROUGH, options));
    }

    describe('an account', () => {
      it('with exactly what is asked for can migrate', async () => {
        const knex = await account(NEEDED, alsoNeeded);
        const result = await trusting(() =>
          test.migrate(THOROUGH, { knex, cleanUp: { dropOldTable: true } }),
        );
        expect(result).to.include({ rowsCopied: 30, oldTable: null });
        expect(await test.tables()).to.deep.equal(['emails']);
        await expectNoLeaks(test);
      });

      it('without the privilege to drop tables anywhere else can migrate tables of a pattern', async () => {
        const knex = await account([], alsoNeeded);
        const pattern = test.database.replaceAll('_', '\\_').replace(/\d+$/, '%');
        await test.query(`GRANT ${NEEDED.join(', ')} ON \`${pattern}\`.* TO '${user}'@'%'`);
        await trusting(() => test.migrate(THOROUGH, { knex }));
        await expectNoLeaks(test);
      });

      for (const privilege of NEEDED) {
        it(`without ${privilege} is told to be granted it`, async () => {
          const knex = await account(
            NEEDED.filter((name) => name !== privilege),
            alsoNeeded,
          );
          const says = new RegExp(`'${user}'@'%' lacks ${privilege} on '${test.database}'`);
          const hints = new RegExp(`^GRANT ${privilege} ON .*${test.database}.*TO '${user}'@'%';`);
          await trusting(() => refused('LHM_MISSING_PRIVILEGE', says, hints, { knex }));
        });
      }

      it('without PROCESS is told to be granted it, or to say that nothing is hidden', async () => {
        const knex = await account(NEEDED);
        const hints = /GRANT PROCESS ON.*blindSpots: 'accept'/;
        await trusting(() => refused('LHM_MISSING_PRIVILEGE', /PROCESS/, hints, { knex }));
      });

      it('that may only read is told of everything at once', async () => {
        const knex = await account(['SELECT']);
        const hints = /GRANT INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, TRIGGER, LOCK TABLES/;
        const problems = ['LHM_MISSING_PRIVILEGE', 'LHM_MISSING_PRIVILEGE'];
        const expected = { code: 'LHM_PREFLIGHT', problems, hints };
        await trusting(() => expectRefused(test, expected, () => test.failure(THOROUGH, { knex })));
      });

      it('that may nothing is told what it may not', async () => {
        const knex = await account([]);
        await trusting(async () => {
          const error = await test.failure(THOROUGH, { knex });
          expect(error).to.include({ code: 'LHM_MISSING_PRIVILEGE', phase: 'plan', outcome: 'untouched' });
          expect(error.message).to.match(/denied.*lhm_user/);
        });
        await expectNoLeaks(test);
      });

      it('with a role that has the privileges can migrate', async () => {
        const knex = await account([], alsoNeeded);
        const grantee = `'${user}'@'%'`;
        const role = `role_of_${user}`;
        await test.query(`CREATE ROLE ${role}`);
        await test.query(`GRANT ${NEEDED.join(', ')} ON \`${test.database}\`.* TO ${role}`);
        await test.query(`GRANT ${role} TO ${grantee}`);
        await test.query(
          flavor === 'mariadb'
            ? `SET DEFAULT ROLE ${role} FOR ${grantee}`
            : `SET DEFAULT ROLE ${role} TO ${grantee}`,
        );
        await trusting(() => test.migrate(THOROUGH, { knex }));
        await expectNoLeaks(test);
      });
    });

    describe('error 1419', () => {
      const hints = /log_bin_trust_function_creators = 1.*SUPER/;

      it('is foreseen for an account that the server does not trust', async () => {
        const knex = await account(NEEDED, alsoNeeded);
        await refused('LHM_MISSING_PRIVILEGE', /1419/, hints, { knex });
      });

      it('does not concern an account with SUPER', async () => {
        const knex = await account(NEEDED, [...alsoNeeded, 'SUPER']);
        await test.migrate(THOROUGH, { knex });
        await expectNoLeaks(test);
      });

      // The server itself refuses a trigger of an account that has one of these, but not SUPER.
      const near =
        flavor === 'mariadb'
          ? ['SET USER', 'BINLOG ADMIN']
          : ['SET_ANY_DEFINER', 'SYSTEM_VARIABLES_ADMIN', 'BINLOG_ADMIN'];
      for (const privilege of near) {
        it(`is foreseen for an account with ${privilege}`, async () => {
          const knex = await account(NEEDED, [...alsoNeeded, privilege]);
          await refused('LHM_MISSING_PRIVILEGE', /1419/, hints, { knex });
        });
      }
    });

    describe('old read views', () => {
      if (flavor === 'mariadb') {
        it('cannot be waited for without PROCESS', async () => {
          const knex = await account(NEEDED);
          await trusting(() =>
            refused('LHM_MISSING_PRIVILEGE', /PROCESS/, /GRANT PROCESS ON.*oldReadViews: 'ignore'/, {
              knex,
              blindSpots: 'accept',
            }),
          );
        });

        it('can be ignored without PROCESS', async () => {
          const knex = await account(NEEDED);
          const cutOver = { oldReadViews: 'ignore' as const };
          const result = await trusting(() =>
            test.migrate(THOROUGH, { knex, cutOver, blindSpots: 'accept' }),
          );
          expect(result.cutOver.oldReadViewsAnswer).to.equal('ignore');
          await expectNoLeaks(test);
        });
      } else {
        it('are answered without PROCESS', async () => {
          const knex = await account(NEEDED);
          const result = await trusting(() => test.migrate(THOROUGH, { knex, blindSpots: 'accept' }));
          expect(result.cutOver.oldReadViewsAnswer).to.equal('error');
        });

        it('cannot be waited for without PROCESS', async () => {
          const knex = await account(NEEDED);
          const cutOver = { oldReadViews: 'wait' as const };
          await trusting(() =>
            refused('LHM_MISSING_PRIVILEGE', /PROCESS/, /GRANT PROCESS/, {
              ...{ knex, cutOver, blindSpots: 'accept' as const },
            }),
          );
        });

        it('of a table that has to wait for them take PROCESS, which shows before any row is copied', async () => {
          const knex = await account(NEEDED);
          const error = await trusting(() =>
            test.failure((t) => void t.index(['note'], 'words', { indexType: 'FULLTEXT' }), {
              ...{ knex, blindSpots: 'accept' as const },
            }),
          );
          expect(error).to.include({ code: 'LHM_MISSING_PRIVILEGE', outcome: 'untouched' });
          expect(error.hint).to.match(/GRANT PROCESS/);
          await expectNoLeaks(test);
        });
      }
    });

    describe('a server', () => {
      it('that is read-only', async () => {
        await test.withGlobal('read_only', '1', () => refused('LHM_READ_ONLY', /read_only is ON/, /primary/));
      });

      if (flavor === 'mysql') {
        it('that is read-only for administrators, too', async () => {
          const expected = { code: 'LHM_READ_ONLY', says: /read_only is ON/, hints: /primary/ };
          try {
            await expectRefused(test, expected, () =>
              test.withGlobal('super_read_only', '1', () => test.failure(THOROUGH)),
            );
          } finally {
            await test.query('SET GLOBAL read_only = 0');
          }
        });
      }

      it('that logs statements', async () => {
        await test.withGlobal('binlog_format', "'STATEMENT'", () =>
          refused('LHM_BINLOG_FORMAT', /STATEMENT/, /binlog_format = 'ROW'/),
        );
      });

      it('that logs statements or rows is good enough', async () => {
        await test.withGlobal('binlog_format', "'MIXED'", () => test.migrate(THOROUGH));
        await expectNoLeaks(test);
      });

      it('that is read-only, in an account that is not trusted, says both', async () => {
        const knex = await account(NEEDED, alsoNeeded);
        const problems = ['LHM_MISSING_PRIVILEGE', 'LHM_READ_ONLY'];
        await test.withGlobal('read_only', '1', () =>
          expectRefused(test, { code: 'LHM_PREFLIGHT', problems }, () => test.failure(THOROUGH, { knex })),
        );
      });
    });
  });
}
