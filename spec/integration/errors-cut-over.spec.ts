import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import type { LargeHadronError } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { sabotage } from '../support/saboteur';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { until, untilWaiting } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const ONCE = { attempts: 1, backoffMs: 10, backoffMaxMs: 20 };
const CUT_OVER_LOCK = /^LOCK TABLES .*_lhmn/;

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`reasons why the swap is put off on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
    });
    afterEach(() => test.drop());

    /** Given up with this reason and this way out, and the table is as it was. */
    async function expectBlocked(error: LargeHadronError, says: RegExp, hints: RegExp): Promise<void> {
      expect(error.message).to.match(says);
      expect(error.hint)
        .to.match(hints)
        .and.match(/cutOver\.attempts/);
      await expectTakenBack(test, error, was, { code: 'LHM_CUT_OVER_BLOCKED', phase: 'cut-over' });
    }

    async function expectSwapped(options: Options): Promise<number> {
      const { cutOver } = await test.migrate(ADD_COLUMN, options);
      expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
      await expectNoLeaks(test);
      return cutOver.attempts;
    }

    /** A transaction whose read view is older than the last changes; it does not touch the table. */
    async function openView(): Promise<Connection> {
      const other = await test.connect();
      await other.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      await other.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      await other.query('SELECT COUNT(*) FROM other');
      return other;
    }

    it('the last changes take too long: cutOver.drainBudgetMs is named, and raising it helps', async () => {
      const slow = { match: /^SELECT COUNT.*LOCK IN SHARE MODE/, when: 'after' as const };
      const knex = test.makeKnex();
      const run = async (): Promise<void> => {
        await test.query('DO SLEEP(1.2)');
      };
      const done = intercept(knex, { ...slow, run });
      const cutOver = { ...ONCE, drainBudgetMs: 1000 };
      const error = await test.failure(ADD_COLUMN, { knex, cutOver });
      expect(done.happened).to.equal(true);
      await expectBlocked(
        error,
        /longer than cutOver\.drainBudgetMs \(1000 ms\)/,
        /Raise cutOver\.drainBudgetMs/,
      );
      const patient = test.makeKnex();
      intercept(patient, { ...slow, run });
      expect(await expectSwapped({ knex: patient, cutOver: { ...ONCE, drainBudgetMs: 5000 } })).to.equal(1);
    });

    it('too many rows are left to compare: verify.underLock is named, and raising it helps', async () => {
      // What changes no value leaves nothing in the log.
      const beforeCutOver = async (): Promise<void> => {
        await test.query('UPDATE emails SET size = size + 1 WHERE id < 9');
        was = { ...was, rows: await test.rows() };
      };
      const hooks = { beforeCutOver };
      const error = await test.failure(ADD_COLUMN, {
        ...{ hooks, verify: { underLock: 0 }, cutOver: ONCE },
      });
      await expectBlocked(error, /more than 0 rows \(verify\.underLock\)/, /Raise verify\.underLock/);
      expect(await expectSwapped({ hooks, verify: { underLock: 8 }, cutOver: ONCE })).to.equal(1);
    });

    it('an entry that the drain did not see: it is applied in the next attempt', async () => {
      // Under the lock the first reading of the journal shows nothing, as if an entry were not visible yet.
      let blind = true;
      sabotage(test.knex, (sql, locked) => {
        if (!locked || !blind || !/^SELECT hadron_seq,.*_lhmj_/.test(sql)) return sql;
        blind = false;
        return sql.replace('hadron_action IS NOT NULL', 'FALSE');
      });
      const waitedFor: string[] = [];
      const result = await test.migrate(ADD_COLUMN, {
        cutOver: { ...ONCE, attempts: 2 },
        hooks: {
          beforeCutOver: () => test.query('UPDATE emails SET size = 77 WHERE id = 7').then(() => undefined),
        },
        progress: ({ waitingFor }) => {
          if (waitingFor !== null) waitedFor.push(waitingFor);
        },
      });
      expect(result.cutOver.attempts).to.equal(2);
      expect(waitedFor[0]).to.match(/^1 changes appeared that were not visible before$/);
      expect((await test.rows())[6]).to.include({ size: 77 });
      await expectNoLeaks(test);
    });

    describe('older read views that are waited for', () => {
      const cutOver = { ...ONCE, oldReadViews: 'wait' as const, drainBudgetMs: 1000 };

      beforeEach(() => test.query('CREATE TABLE other (id INT PRIMARY KEY)'));

      itOnce('one that stays open: its connection is named, and ending it helps', async () => {
        let other: Connection | undefined;
        const late = { match: CUT_OVER_LOCK, when: 'before' as const };
        intercept(test.knex, {
          ...late,
          run: async () => {
            other = await openView();
          },
        });
        const error = await test.failure(ADD_COLUMN, { cutOver });
        const connection = String(other?.threadId);
        expect(error.message).to.match(
          new RegExp(`older read view are open \\(connections ${connection}\\)`),
        );
        await test.query(`KILL ${connection}`);
        await test.query('DROP TABLE other');
        await expectBlocked(error, /older read view/, /KILL.*oldReadViews to 'ignore'/);
        await expectSwapped({ knex: test.makeKnex(), cutOver });
      });

      itOnce('one that waits for our own lock: the attempt is given up at once', async () => {
        let reading: Promise<unknown> | undefined;
        let other: Connection | undefined;
        intercept(test.knex, {
          ...{ match: CUT_OVER_LOCK, when: 'before' as const },
          run: async () => {
            other = await openView();
          },
        });
        intercept(test.knex, {
          ...{ match: CUT_OVER_LOCK, when: 'after' as const },
          run: async () => {
            reading = other?.query('SELECT * FROM emails');
            await untilWaiting(test, /SELECT \* FROM emails/);
          },
        });
        const failing = test.failure(ADD_COLUMN, { cutOver: { ...cutOver, drainBudgetMs: 20_000 } });
        await until('the reader', () => (reading === undefined ? undefined : true));
        const started = performance.now();
        await reading;
        await other?.query('COMMIT');
        const error = await failing;
        expect(performance.now() - started).to.be.below(10_000);
        await test.query('DROP TABLE other');
        await expectBlocked(error, /older read view, waits for the table/, /KILL/);
      });
    });

    // Once is enough with the log, where marks cannot be written meanwhile: it takes twenty seconds.
    (flavor === 'mysql' ? it : itOnce)(
      'everything is read-locked by a backup: swapped when it is done',
      async () => {
        const backup = await test.connect();
        let unlocked: Promise<unknown> | undefined;
        const done = intercept(test.knex, {
          ...{ match: flavor === 'mysql' ? /^ALTER TABLE .*hadron_view/ : /sentry/, when: 'before' },
          run: async () => {
            await backup.query('FLUSH TABLES WITH READ LOCK');
          },
        });
        const waitedFor: string[] = [];
        const result = await test.migrate(ADD_COLUMN, {
          cutOver: { ...ONCE, attempts: 20 },
          progress: ({ waitingFor }) => {
            if (waitingFor === null) return;
            waitedFor.push(waitingFor);
            unlocked ??= backup.query('UNLOCK TABLES');
          },
        });
        await unlocked;
        expect(done.happened).to.equal(true);
        expect(waitedFor[0]).to.match(/Lock wait timeout/);
        expect(result.cutOver.attempts).to.be.above(1);
        await expectNoLeaks(test);
      },
    );

    if (flavor === 'mysql') {
      describe('a table that takes no INSTANT column after all', () => {
        beforeEach(async () => {
          await test.query('DROP TABLE emails');
          // With one byte more a row would be too long for the server.
          await test.query(
            'CREATE TABLE emails (id INT NOT NULL PRIMARY KEY, address VARCHAR(100), wide VARCHAR(65126) CHARACTER SET latin1 NOT NULL) CHARACTER SET utf8mb4',
          );
          await test.query("INSERT INTO emails (id, address, wide) VALUES (1, 'a', 'b')");
          was = { definition: await test.definition(), rows: await test.rows() };
        });
        const alter = 'ADD INDEX by_address (address)';

        itOnce('is swapped once older views are gone', async () => {
          const { cutOver } = await test.migrate(alter, { cutOver: { backoffMs: 10 } });
          expect(cutOver).to.include({ attempts: 2, oldReadViewsAnswer: 'wait' });
          await expectNoLeaks(test);
        });

        itOnce("with cutOver.oldReadViews 'error': 'wait' is named", async () => {
          const error = await test.failure(alter, { cutOver: { ...ONCE, oldReadViews: 'error' } });
          expect(error.message).to.match(/Row size too large/i);
          expect(error.hint).to.match(/oldReadViews out or set it to 'wait'/);
          expect(error).to.include({ code: 'LHM_CUT_OVER_BLOCKED', outcome: 'rolled-back' });
          expect(await test.rows()).to.deep.equal(was.rows);
          await expectNoLeaks(test);
        });
      });
    }
  });
}
