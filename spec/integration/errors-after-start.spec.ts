import { expect } from 'chai';

import { largeHadronCleanUp, LargeHadronEvents, type LargeHadronError } from '../../lib';
import { createAccount, NEEDED } from '../support/account';
import { leaveDeadRun } from '../support/dead-run';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectTakenBack, expectTruthfulLeftovers, expectWritable } from '../support/leak-guard-leftovers';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable, without, type Options } from '../support/test-table';
import { untilWaiting } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  describe(`errors after the start on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => {
      server = await startServer(flavor, { args: ['--log-bin-trust-function-creators=1'], mode });
    });
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
    });
    afterEach(() => test.drop());

    const itOfTriggers = mode === 'triggers' ? it : (): undefined => undefined;
    const run = (sql: string) => async (): Promise<void> => {
      await test.query(sql);
    };
    const fails = (options: Options): Promise<LargeHadronError> => test.failure(ADD_COLUMN, options);
    const succeeds = async (options: Options = {}): Promise<void> => {
      await test.migrate(ADD_COLUMN, { knex: test.makeKnex(), ...options });
      await expectNoLeaks(test);
    };

    it('the server is gone: whatever may be left is named, and its statements remove it', async () => {
      const error = await leaveDeadRun(test);
      expect(error.code).to.match(/^LHM_(CONNECTION|OWNERSHIP)_LOST$/);
      expect(error.outcome).to.equal('unknown');
      expect(error.hint).to.match(/^Look first whether the table is there.*May be left on the server/);
      expect(await test.rows()).to.deep.equal(was.rows);
      await expectWritable(test);
      expect((await test.tables()).length).to.be.above(3);
      for (const { name, sql } of error.leftovers) {
        expect(error.hint).to.contain(name).and.contain(sql);
        await test.query(sql);
      }
      await expectNoLeaks(test);
      await succeeds();
    });

    it('the server is gone after the swap: said to be swapped all the same', async () => {
      const error = await leaveDeadRun(test, 'afterCutOver');
      expect(error).to.include({ outcome: 'swapped' });
      expect(error.hint).to.match(/^The table has its new definition: treat the change as done/);
      expect(await test.definition()).to.contain('`extra`');
      await expectWritable(test);
      for (const { sql } of error.leftovers) await test.query(sql);
      await expectNoLeaks(test);
    });

    it('another run has taken over: it is left alone', async () => {
      const error = await fails({
        hooks: { afterRowCopy: run("UPDATE emails_lhms SET epoch = 'of another run'") },
      });
      expect(error).to.include({ code: 'LHM_OWNERSHIP_LOST', outcome: 'rolled-back' });
      expect(error.message).to.contain('took this migration over');
      expect(error.leftovers).to.deep.equal([]);
      expect(await test.rows()).to.deep.equal(was.rows);
      expect(await test.triggers(), 'those of this run write to its journal').to.deep.equal([]);
      expect(await test.tables()).to.include.members(['emails_lhmn', 'emails_lhms']);
      await expectWritable(test);
      await largeHadronCleanUp('emails', { knex: test.makeKnex() });
      await expectNoLeaks(test);
    });

    it('somebody writes to the old table after the swap: the keys are told, and nothing is dropped', async () => {
      const error = await fails({
        hooks: {
          afterCutOver: async () => {
            const [old] = await oldTables(test);
            await test.query(`UPDATE ${old!} SET note = 'late' WHERE id IN (3, 4)`);
          },
        },
      });
      expect(error).to.include({ code: 'LHM_LATE_CHANGES', outcome: 'swapped', phase: 'clean-up' });
      expect(error.message).to.match(/^2 changes reached the old table/);
      expect(error.hint).to.match(/treat the change as done.*Compare these rows/);
      const keys = await test.query<{ id: number }>(/SELECT \* FROM [^;]*/.exec(error.hint)![0]);
      expect(keys.map(({ id }) => id)).to.deep.equal([3, 4]);
      expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
      await expectTruthfulLeftovers(test, error);
      await expectWritable(test);
    });

    if (mode === 'binlog') {
      for (const strategy of ['auto', 'two-step'] as const) {
        it(`the old table is altered after a swap (${strategy}): nobody can tell, and it is done all the same`, async () => {
          const warnings: string[] = [];
          const events = new LargeHadronEvents();
          events.on('warning', ({ message }) => void warnings.push(message));
          const afterCutOver = async (): Promise<void> => {
            const [old] = await oldTables(test);
            await test.query(`ALTER TABLE ${old!} DROP COLUMN note`);
            await test.query(`UPDATE ${old!} SET size = 1 WHERE id = 3`);
          };
          await succeeds({ cutOver: { strategy }, events, hooks: { afterCutOver } });
          expect(warnings.join()).to.match(/^Nobody knows whether the old table was written to/);
        });
      }
    }

    itOnce('the new table differs again after it was repaired: nothing is swapped', async () => {
      const spoil =
        "CREATE TRIGGER spoils BEFORE INSERT ON emails_lhmn FOR EACH ROW SET NEW.note = IF(NEW.id = 6, 'wrong', NEW.note)";
      const error = await fails({ hooks: { beforeRowCopy: run(spoil) } });
      expect(error.message).to.match(
        /^1 rows of the new table differ.*\(id = 6: note is 'wrong' and should be NULL\)/,
      );
      expect(error.hint).to.match(/left as it is.*report/);
      await expectTakenBack(test, error, was, { code: 'LHM_VERIFY_FAILED' });
      await succeeds();
    });

    itOnce('InnoDB does not list the table: it was renamed at that moment', async () => {
      const done = intercept(test.knex, {
        ...{ match: /INNODB_(SYS_)?TABLES/, when: 'before' },
        run: run('RENAME TABLE emails TO letters'),
      });
      const error = await fails({});
      expect(done.happened).to.equal(true);
      expect(error).to.include({ code: 'LHM_ORIGIN_CHANGED', outcome: 'unknown' });
      expect(error.message).to.match(/InnoDB does not list/);
      expect(await test.rows('letters')).to.deep.equal(was.rows);
      for (const { sql } of error.leftovers) await test.query(sql);
      await expectNoLeaks(test);
      await test.query('RENAME TABLE letters TO emails');
      await succeeds();
    });

    describe('seen by an account without PROCESS', () => {
      for (const [which, sql] of every(2, [
        ['first', 'INSERT INTO emails SELECT * FROM kept WHERE id > 1'],
        ['last', 'INSERT INTO emails SELECT * FROM kept WHERE id < 30'],
      ] as const)) {
        it(`a TRUNCATE, by the ${which} row`, async () => {
          await test.query('CREATE TABLE kept AS SELECT * FROM emails');
          await test.query('ALTER TABLE emails MODIFY id INT UNSIGNED NOT NULL');
          const { knex } = await createAccount(test);
          const truncate = async (): Promise<void> => {
            await test.query('TRUNCATE TABLE emails');
            await test.query(sql);
            await test.query(
              `DELETE FROM ${(await test.tables()).find((name) => /_lhmj_/.test(name))!} WHERE hadron_action IS NOT NULL`,
            );
          };
          const error = await fails({
            ...{ knex, blindSpots: 'accept', cutOver: { oldReadViews: 'ignore' } },
            hooks: { beforeCutOver: truncate },
          });
          expect(error).to.include({ code: 'LHM_ORIGIN_CHANGED', outcome: 'rolled-back' });
          // The log tells it by itself.
          expect(error.message).to.contain(mode === 'triggers' ? 'first or last row' : 'TRUNCATE');
          expect(await test.rows()).to.have.length(29);
          await expectNoLeaks(test);
          await expectWritable(test);
        });
      }
    });

    it('the server becomes read-only: leftovers are named, and can be removed later', async () => {
      const { knex } = await createAccount(test, NEEDED, ['PROCESS']);
      let error: LargeHadronError;
      try {
        error = await fails({ knex, hooks: { afterRowCopy: run('SET GLOBAL read_only = 1') } });
      } finally {
        await test.query('SET GLOBAL read_only = 0');
      }
      expect(error).to.include({ code: 'LHM_READ_ONLY', outcome: 'rolled-back' });
      expect(error.hint).to.match(/connect to the one that the application writes to/);
      expect(await test.rows()).to.deep.equal(was.rows);
      expect(error.leftovers).to.have.length(mode === 'triggers' ? 7 : 5);
      await expectTruthfulLeftovers(test, error);
      await expectWritable(test);
    });

    itOfTriggers('trust in the account is withdrawn before the triggers: error 1419', async () => {
      const { knex } = await createAccount(test, NEEDED, ['PROCESS']);
      const error = await test.failure(
        async (t) => {
          t.integer('extra');
          await test.query('SET GLOBAL log_bin_trust_function_creators = 0');
        },
        { knex },
      );
      await expectTakenBack(test, error, was, { code: 'LHM_MISSING_PRIVILEGE', phase: 'capture' });
      await test.query(/SET GLOBAL [^;]*/.exec(error.hint)![0]);
      await succeeds({ knex });
    });

    itOnce('somebody keeps the new table locked for a while: waited for', async () => {
      const holder = await test.connect();
      let released: Promise<unknown> | undefined;
      await succeeds({
        hooks: { afterRowCopy: () => holder.query('LOCK TABLES emails_lhmn WRITE').then(() => undefined) },
        progress: ({ waitingFor }) => {
          if (waitingFor !== null) released ??= holder.query('UNLOCK TABLES');
        },
      });
      expect(released).not.to.equal(undefined);
    });

    itOnce('somebody keeps the new table locked for longer than is waited: told', async () => {
      const holder = await test.connect();
      const failing = fails({
        giveUpAfterMs: 1000,
        hooks: {
          afterRowCopy: async () => {
            await holder.query('LOCK TABLES emails_lhmn WRITE');
          },
        },
      });
      await untilWaiting(test, /^DROP TABLE IF EXISTS .*_lhmn/);
      await holder.query('UNLOCK TABLES');
      await expectTakenBack(test, await failing, was, { code: 'LHM_LOCK_TIMEOUT', phase: 'verify' });
      await succeeds();
    });

    it('no more connections are let in', async () => {
      const { knex, user } = await createAccount(test, NEEDED, ['PROCESS']);
      await test.query(`ALTER USER '${user}'@'%' WITH MAX_USER_CONNECTIONS 1`);
      const error = await fails({ knex });
      await expectTakenBack(test, error, was, { code: 'LHM_CANNOT_CONNECT', outcome: 'untouched' });
      expect(error.hint).to.contain('max_connections').and.contain('limit of the account');
      await test.query(`ALTER USER '${user}'@'%' WITH MAX_USER_CONNECTIONS ${mode === 'triggers' ? 5 : 6}`);
      await succeeds({ knex: test.makeKnex({}, { user, password: 'secret' }) });
    });

    itOnce('a row that did not fit was mended before it could be named', async () => {
      await test.query('UPDATE emails SET size = 50000 WHERE id = 9');
      const before = { ...was, rows: await test.rows() };
      const done = intercept(test.knex, {
        ...{ match: /LIMIT 100000$/, when: 'before' },
        run: run('UPDATE emails SET size = 90 WHERE id = 9'),
      });
      const error = await test.failure('MODIFY size SMALLINT NOT NULL');
      expect(done.happened).to.equal(true);
      expect(error.message).to.match(/^A row of 'emails' does not fit.*size/);
      const rows = before.rows.map((row) => (row['id'] === 9 ? { ...row, size: 90 } : row));
      await expectTakenBack(test, error, { ...before, rows }, { code: 'LHM_DATA_WOULD_BE_LOST' });
    });

    itOnce(
      'another migration inside the alter function fails: its error is the cause, not the answer',
      async () => {
        let inner: LargeHadronError | undefined;
        const error = await test.failure(async (t) => {
          t.integer('extra');
          inner = await failureOf(test.migrate(ADD_COLUMN, { knex: test.makeKnex() }, 'nothing'));
          throw inner;
        });
        await expectTakenBack(test, error, was, { code: 'LHM_FAILED', phase: 'clone', outcome: 'untouched' });
        expect(error.table).to.equal(`${test.database}.emails`);
        expect(error.cause).to.equal(inner);
        expect(inner).to.include({ code: 'LHM_NO_SUCH_TABLE', table: `${test.database}.nothing` });
      },
    );
  });
}
