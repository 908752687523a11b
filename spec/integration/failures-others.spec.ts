import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import type { LargeHadronError, MigrationResult } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack, expectWritable, withoutCounter } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, type Options } from '../support/test-table';
import { until, untilWaiting } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const SMALL_CHUNKS = { chunk: { rows: 7 }, verify: { rows: 7 } };

const REFILL = "INSERT INTO emails (id, address, size, note) SELECT id, address, size, 'refilled' FROM saved";
const SAVE = 'CREATE TABLE saved AS SELECT * FROM emails';

/** What somebody else does to the table while it is migrated, and what the migration must call it. */
const DEEDS: readonly [
  what: string,
  sql: readonly string[],
  code: string | { readonly mysql: string; readonly mariadb: RegExp },
][] = [
  ['ALTER', ['ALTER TABLE emails ADD COLUMN theirs INT'], 'LHM_ORIGIN_CHANGED'],
  ['CREATE INDEX', ['CREATE INDEX theirs ON emails (note)'], 'LHM_ORIGIN_CHANGED'],
  ['TRUNCATE', ['TRUNCATE TABLE emails'], 'LHM_ORIGIN_CHANGED'],
  ['TRUNCATE and the same keys again', [SAVE, 'TRUNCATE TABLE emails', REFILL], 'LHM_ORIGIN_CHANGED'],
  [
    'DROP and CREATE with the same rows',
    [SAVE, 'CREATE TABLE fresh LIKE emails', 'DROP TABLE emails', 'RENAME TABLE fresh TO emails', REFILL],
    // MariaDB's date of a definition is looked at before the triggers, and shows another one unless it was made in the same second.
    { mysql: 'LHM_TRIGGERS_CHANGED', mariadb: /^LHM_(TRIGGERS|ORIGIN)_CHANGED$/ },
  ],
  ['DROP TRIGGER', ['DROP TRIGGER emails_lhmu'], 'LHM_TRIGGERS_CHANGED'],
  [
    'a trigger put in the place of ours',
    [
      'DROP TRIGGER emails_lhmd',
      'CREATE TRIGGER emails_lhmd AFTER DELETE ON emails FOR EACH ROW SET @nothing = 1',
    ],
    'LHM_TRIGGERS_CHANGED',
  ],
  [
    'a trigger of theirs',
    ['CREATE TRIGGER theirs BEFORE INSERT ON emails FOR EACH ROW SET NEW.size = 7'],
    'LHM_TRIGGERS_CHANGED',
  ],
];

for (const { flavor, mode, on, every } of serversAndModes()) {
  const strategies = flavor === 'mysql' ? (['rename-under-lock', 'sentry'] as const) : (['sentry'] as const);

  describe(`others on the same table on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let test: TestTable;

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
    });

    afterEach(() => test.drop());

    const fails = (options: Options): Promise<LargeHadronError> =>
      test.failure(ADD_COLUMN, { ...SMALL_CHUNKS, ...options });

    describe('change its definition', () => {
      for (const [what, sql, code] of DEEDS) {
        // With the binary log there are no triggers of ours.
        if (mode === 'binlog' && /emails_lhm[ud]/.test(sql.join())) continue;
        const does = async (): Promise<void> => {
          for (const statement of sql) await test.query(statement);
        };
        const expectRefusedSwap = async (error: LargeHadronError): Promise<void> => {
          const told = `${error.code}, ${error.outcome}: ${error.message}`;
          // Whoever reads the log meets the DROP there.
          const expected =
            typeof code === 'string'
              ? code
              : mode === 'binlog'
                ? /_(ORIGIN|TRIGGERS)_CHANGED$/
                : code[flavor];
          if (typeof expected === 'string') expect(error.code, told).to.equal(expected);
          else expect(error.code, told).to.match(expected);
          expect(error.outcome, told).to.equal('rolled-back');
          expect(error.leftovers).to.deep.equal([]);
          expect(error.message).to.match(/somebody else/);
          expect(await test.definition()).not.to.contain('`extra`');
          expect((await test.tables()).filter((name) => /_lhm/.test(name))).to.deep.equal([]);
          // What somebody else has made is theirs, whatever its name.
          await expectNoLeaks(test, sql.some((one) => one.includes('@nothing')) ? ['emails_lhmd'] : []);
          await expectWritable(test);
        };

        for (const hook of every(2, ['beforeRowCopy', 'beforeCutOver'] as const)) {
          it(`${what} in ${hook}: nothing is swapped`, async () => {
            await expectRefusedSwap(await fails({ hooks: { [hook]: does } }));
          });
        }

        it(`${what} just before the lock of the cut-over: nothing is swapped`, async () => {
          const done = intercept(test.knex, { match: /^LOCK TABLES .*_lhmn/, when: 'before', run: does });
          await expectRefusedSwap(await fails({}));
          expect(done.happened).to.equal(true);
        });
      }

      it('drop it: said to be unknown, because there is no table', async () => {
        const error = await fails({
          hooks: { beforeCutOver: () => test.query('DROP TABLE emails').then(ignore) },
        });
        expect(error).to.include({ code: 'LHM_ORIGIN_CHANGED', outcome: 'unknown' });
        expect(error.leftovers.map(({ name }) => name)).to.include(`${test.database}.emails_lhmn`);
        for (const { sql } of error.leftovers) await test.query(sql);
        await expectNoLeaks(test);
      });

      it('rename it away: nothing of it is lost', async () => {
        const error = await fails({
          hooks: { beforeCutOver: () => test.query('RENAME TABLE emails TO letters').then(ignore) },
        });
        expect(error.code).to.equal('LHM_ORIGIN_CHANGED');
        expect(await test.rows('letters')).to.have.length(30);
        for (const { sql } of error.leftovers) await test.query(sql);
        await expectNoLeaks(test);
        await test.query("UPDATE letters SET note = 'still writable'");
      });

      it('drop the ghost: nothing is swapped', async () => {
        const was = { definition: await test.definition(), rows: await test.rows() };
        const error = await fails({
          hooks: { afterRowCopy: () => test.query('DROP TABLE emails_lhmn').then(ignore) },
        });
        expect(error.leftovers).to.deep.equal([]);
        expect(withoutCounter(await test.definition())).to.equal(withoutCounter(was.definition));
        expect(await test.rows()).to.deep.equal(was.rows);
        await expectNoLeaks(test);
        await expectWritable(test);
      });

      it('alter the ghost: nothing is swapped', async () => {
        const was = { definition: await test.definition(), rows: await test.rows() };
        const alter = 'ALTER TABLE emails_lhmn ADD COLUMN theirs INT';
        const error = await fails({ hooks: { beforeCutOver: () => test.query(alter).then(ignore) } });
        await expectTakenBack(test, error, was, { code: 'LHM_GHOST_CHANGED', phase: 'cut-over' });
      });
    });

    describe('hold it in an open transaction at the cut-over', () => {
      let holder: Connection;
      /** Attempts in vain are followed by rests of twenty times their length; so the second is the last, and comes soon. */
      const RESTED = { ...SMALL_CHUNKS, giveUpAfterMs: 6000 };

      beforeEach(async () => {
        holder = await test.connect();
      });

      const hold = async (sql: string): Promise<void> => {
        await holder.query('START TRANSACTION');
        await holder.query(sql);
      };
      const WRITE = "UPDATE emails SET note = 'held' WHERE id = 5";
      const READ = 'SELECT COUNT(*) FROM emails';

      for (const strategy of strategies) {
        for (const [what, sql] of [
          ['that has written', WRITE],
          ['that has read', READ],
        ] as const) {
          it(`${what}: swapped by ${strategy} when it has ended`, async () => {
            let postponed = 0;
            let ended: Promise<unknown> | undefined;
            const result = await test.migrate(ADD_COLUMN, {
              ...RESTED,
              hooks: { beforeCutOver: () => hold(sql) },
              cutOver: { strategy, backoffMs: 10, backoffMaxMs: 20 },
              progress: ({ waitingFor }) => {
                if (waitingFor !== null && ++postponed === 2) ended = holder.query('COMMIT');
              },
            });
            await ended;
            expect(result.cutOver.attempts).to.be.above(1);
            const [row] = await test.query<{ note: string }>('SELECT note, extra FROM emails WHERE id = 5');
            expect(row?.note).to.equal(sql === WRITE ? 'held' : 'note 5');
            await expectNoLeaks(test);
          });
        }

        it(`for ever: given up after 2 attempts of ${strategy}, and nobody waits long`, async () => {
          const was = { definition: await test.definition(), rows: await test.rows() };
          const [lockTimeoutMs, drainBudgetMs] = [1000, 300];
          const probe = await test.connect();
          let longest = 0;
          const stopped = { now: false };
          const probing = (async () => {
            while (!stopped.now) {
              const started = performance.now();
              await probe.query("UPDATE emails SET note = 'probed' WHERE id = 9");
              await probe.query('SELECT COUNT(*) FROM emails');
              longest = Math.max(longest, performance.now() - started);
            }
          })();
          const failure = fails({
            ...RESTED,
            hooks: { beforeCutOver: () => hold(READ) },
            cutOver: { strategy, attempts: 2, lockTimeoutMs, drainBudgetMs, backoffMs: 50 },
          });
          // The clean-up of triggers needs the table's lock, too, so the transaction must end some time.
          if (mode === 'triggers') await untilWaiting(test, /DROP TRIGGER/);
          else await failure;
          await holder.query('ROLLBACK');
          const error = await failure;
          stopped.now = true;
          await probing;
          expect(longest).to.be.below(lockTimeoutMs + drainBudgetMs + 1000);
          expect(error.message).to.match(/2 attempts/);
          expect(error.hint).to.match(/cutOver\.attempts/);
          const rows = was.rows.map((row) => (row['id'] === 9 ? { ...row, note: 'probed' } : row));
          await expectTakenBack(
            test,
            error,
            { ...was, rows },
            { code: 'LHM_CUT_OVER_BLOCKED', phase: 'cut-over' },
          );
        });
      }

      // Without triggers nothing has to be locked by then.
      if (mode === 'triggers')
        it('before the triggers are there: they are created when it has ended', async () => {
          await hold(WRITE);
          const migration: Promise<MigrationResult> = test.migrate(ADD_COLUMN, SMALL_CHUNKS);
          await untilWaiting(test, /^LOCK TABLES/);
          await holder.query('COMMIT');
          await migration;
          const [row] = await test.query('SELECT note FROM emails WHERE id = 5');
          expect(row).to.deep.equal({ note: 'held' });
          await expectNoLeaks(test);
        });

      it('by LOCK TABLES … READ: swapped when it is released', async () => {
        let unlocked: Promise<unknown> | undefined;
        const result = await test.migrate(ADD_COLUMN, {
          ...RESTED,
          hooks: { beforeCutOver: () => holder.query('LOCK TABLES emails READ').then(ignore) },
          cutOver: { backoffMs: 10, backoffMaxMs: 20 },
          progress: ({ waitingFor }) => {
            if (waitingFor !== null) unlocked ??= holder.query('UNLOCK TABLES');
          },
        });
        await unlocked;
        expect(result.cutOver.attempts).to.be.above(1);
        await expectNoLeaks(test);
      });

      it('in a transaction prepared for XA: not swapped over its head', async () => {
        let postponed = 0;
        let ended: Promise<unknown> | undefined;
        await test.migrate(ADD_COLUMN, {
          ...RESTED,
          hooks: {
            beforeCutOver: async () => {
              await holder.query("XA START 'lhm'");
              await holder.query(WRITE);
              await holder.query("XA END 'lhm'");
              await holder.query("XA PREPARE 'lhm'");
            },
          },
          cutOver: { backoffMs: 10, backoffMaxMs: 20 },
          progress: ({ waitingFor }) => {
            if (waitingFor !== null && ++postponed === 2) ended = holder.query("XA COMMIT 'lhm'");
          },
        });
        await until('the end of the transaction', () => (ended === undefined ? undefined : true));
        await ended;
        const [row] = await test.query('SELECT note FROM emails WHERE id = 5');
        expect(row).to.deep.equal({ note: 'held' });
        await expectNoLeaks(test);
      });
    });
  });
}

function ignore(): void {
  // A hook gives nothing back.
}
