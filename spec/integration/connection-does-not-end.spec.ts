import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import type { LargeHadronError } from '../../lib';
import { createAccount, NEEDED } from '../support/account';
import { lost } from '../faults/fail-once';
import { some } from '../faults/some';
import { expectNoLeaks } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { strategiesOf } from '../support/strategies';
import { TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { aroundQueries } from '../support/test-table-statements';

/** The statement after which the new table bears the name. */
const RENAME = /^RENAME TABLE|^ALTER TABLE \S+_lhmn` RENAME/;

const LIFE_LOCK = /GET_LOCK\('(lhm:[0-9a-f]{8}-[^']+)', 0\)/;

const LOST = 'LHM_CONNECTION_LOST';

/** Where the connection is cut, and whether its statement has been done by then. */
type When = 'before' | 'after';

/**
 * A connection that was cut and which the server seems not to let go of: another account, which the migrating one may
 * not kill, waits for its lock and gets it when it ends.
 */
for (const flavor of availableFlavors()) {
  describe(`a lost connection that does not end on ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let other: Connection;
    let rows: Record<string, unknown>[];
    let cut: string | null;

    before(
      async () => (server = await startServer(flavor, { args: ['--log-bin-trust-function-creators=1'] })),
    );
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      rows = await test.rows();
      other = await test.connect();
      cut = null;
    });
    afterEach(() => test.drop());

    /** Migrates as an account that may kill nobody's connections but its own. */
    async function failure(match: RegExp, when: When, options: Options): Promise<LargeHadronError> {
      const { knex } = await createAccount(test, NEEDED, ['PROCESS']);
      const lifeLocks = new Map<number, string>();
      aroundQueries(knex, (query, connection) => (sql, values, callback) => {
        const name = LIFE_LOCK.exec(sql)?.[1];
        if (name !== undefined) lifeLocks.set(connection.threadId, name);
        if (cut !== null || !match.test(sql)) return query(sql, values, callback);
        cut = sql;
        const lose = (): Promise<void> => replace(connection.threadId, lifeLocks.get(connection.threadId));
        const failed = (reason: unknown): void => callback(reason as Error as never);
        if (when === 'before') {
          return void lose().then(() => {
            query(sql, values, callback);
          }, failed);
        }
        return query(sql, values, (error) => {
          if (error !== null) callback(error);
          else lose().then(() => failed(lost()), failed);
        });
      });
      const error = await test.failure(ADD_COLUMN, {
        chunk: { rows: 7 },
        reconnectMs: 500,
        ...options,
        knex,
      });
      expect(cut, `the statement: ${error.message}`).not.to.equal(null);
      return error;
    }

    /** Ends the connection, whose lock the other one has from then on. */
    async function replace(id: number, lock = ''): Promise<void> {
      const taken = other.query('SELECT GET_LOCK(?, 60) AS taken', [lock]);
      await until('the other to wait for the lock', async () => {
        const list = await test.query<{ Id: number; State: string | null }>('SHOW PROCESSLIST');
        return (
          list.some((row) => row.Id === other.threadId && /user.lock/i.test(row.State ?? '')) || undefined
        );
      });
      await test.query(`KILL ${id}`);
      const [[answer]] = (await taken) as unknown as [{ taken: unknown }[]];
      expect(Number(answer?.taken)).to.equal(1);
    }

    /** Nothing is claimed, nothing is touched, and the connection is named. */
    async function expectUnknown(error: LargeHadronError, swapped: boolean, code = LOST): Promise<void> {
      expect(error).to.include({ code, outcome: 'unknown' });
      expect(error.hint)
        .to.contain('Look first whether the table is there')
        .and.contain('Nothing could be taken back or removed')
        .and.contain(`Connection ${other.threadId} of the migration`)
        .and.contain('May be left on the server');
      const there = [...(await test.tables()), ...(await test.triggers())];
      const told = error.leftovers.map(({ name }) => name.slice(test.database.length + 1));
      expect(told).to.include.members(there.filter((name) => /_lhm[njsriud]/.test(name)));
      expect(there).to.include.members(['emails_lhmi', 'emails_lhmu', 'emails_lhmd', 'emails_lhms']);
      expect(there.includes('emails_lhmn'), 'the ghost').to.equal(!swapped);
      expect((await test.definition()).includes('`extra`'), 'swapped').to.equal(swapped);
      expect(without(await test.rows(), 'extra')).to.deep.equal(rows);
      await expectWritable(test);
    }

    async function sentryStands(): Promise<boolean> {
      const sql =
        "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_COMMENT LIKE '%sentry%'";
      return (await test.query(sql, [test.database])).length > 0;
    }

    /** Once it has ended after all, the next run puts everything in order. */
    async function expectNextRun(swapped: boolean): Promise<void> {
      await other.query('SELECT RELEASE_ALL_LOCKS()');
      await test.migrate(swapped ? 'ADD COLUMN another INT' : ADD_COLUMN);
      expect(await test.definition()).to.contain('`extra`');
      expect(without(await test.rows(), 'extra', 'another')).to.deep.equal(rows);
      await expectNoLeaks(test);
    }

    it('in the copy', async () => {
      const error = await failure(/^INSERT INTO \S+_lhmn`(?!.*FALSE)/, 'before', {});
      expect(error.phase).to.equal('copy');
      await expectUnknown(error, false);
      await expectNextRun(false);
    });

    // Each takes the 20 s that a connection is waited for, so all of them only with LHM_FAULTS=all.
    const strategies = strategiesOf(flavor).filter((name) => name !== 'rename-then-replay');
    for (const [what, when, reconnectMs] of [
      ['when the tables are about to be renamed', 'before', 500],
      ['when the tables are about to be renamed, and no connection is made anew', 'before', 0],
      ['when the tables were renamed', 'after', 500],
    ] as const) {
      for (const strategy of some(strategies, 1)) {
        it(`${what} (${strategy})`, async () => {
          // Where only the RENAME is lost the sentry keeps it from doing harm, and the next attempt would succeed.
          const renamerOnly = strategy === 'sentry' && when === 'before';
          const cutOver = { strategy, ...(renamerOnly ? { attempts: 1 } : {}) };
          const error = await failure(RENAME, when, { cutOver, reconnectMs });
          expect(error.phase).to.equal('cut-over');
          await expectUnknown(error, when === 'after', renamerOnly ? 'LHM_CUT_OVER_BLOCKED' : LOST);
          expect(await sentryStands()).to.equal(renamerOnly);
          await expectNextRun(when === 'after');
        });
      }
    }

    it('when the sentry is about to be dropped', async () => {
      const error = await failure(/^DROP TABLE \S+_lhmo_/, 'before', { cutOver: { strategy: 'sentry' } });
      expect(error.phase).to.equal('cut-over');
      // It went with its locks before the sentry did, so the RENAME has failed.
      await expectUnknown(error, false);
      expect(await sentryStands()).to.equal(true);
      await expectNextRun(false);
    });
  });
}
