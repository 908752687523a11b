import { expect } from 'chai';

import { largeHadronCleanUp, type MigrationResult } from '../../lib';
import { some } from '../faults/some';
import { killLogReaders } from '../support/binlog/server-log';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectTakenBack, expectWritable } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ChildMigration } from '../support/test-table-process';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const REPLAY = { strategy: 'rename-then-replay', backoffMs: 10 } as const;
const MODES = ['triggers', 'binlog'] as const;
const CASES = availableFlavors().flatMap((flavor) => MODES.map((mode) => ({ flavor, mode })));

/** Applied by the cut-over itself, because it is sent when the lock is about to be asked for. */
const LATE = "UPDATE emails SET note = 'late' WHERE id IN (3, 5)";

type Stands = 'the original' | 'the new table, closed' | 'the new table';

/** Where it breaks off, and what bears the name then. */
const PLACES: readonly (readonly [
  what: string,
  statement: string,
  when: 'before' | 'after',
  stands: Stands,
])[] = [
  ['with the first gate', '^CREATE TRIGGER \\S+_lhmgi', 'after', 'the original'],
  ['when it is written down what will be done', '^REPLACE INTO .*replayed', 'after', 'the original'],
  ['before the RENAME', '^RENAME TABLE', 'before', 'the original'],
  ['after the RENAME', '^RENAME TABLE', 'after', 'the new table, closed'],
  ['in the replay', '^DELETE FROM \\S+emails` USING', 'after', 'the new table, closed'],
  [
    'before it is written down that all is applied',
    '^REPLACE INTO .*replayed.*true',
    'before',
    'the new table, closed',
  ],
  [
    'when it is written down that all is applied, before its COMMIT',
    '^REPLACE INTO .*replayed.*true',
    'after',
    'the new table, closed',
  ],
  ['before the gates are opened', '^DROP TRIGGER IF EXISTS \\S+_lhmgi', 'before', 'the new table, closed'],
  ['with one gate open', '^DROP TRIGGER IF EXISTS \\S+_lhmgi', 'after', 'the new table, closed'],
  ['with all gates open', '^DROP TRIGGER IF EXISTS \\S+_lhmgd', 'after', 'the new table'],
];

for (const { flavor, mode } of CASES) {
  describe(`a swap before the last changes on ${flavor}, ${mode}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let child: ChildMigration | undefined;
    const OPTIONS: Options = { mode, cutOver: REPLAY };
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
    });
    afterEach(async () => {
      await child?.kill();
      await test.drop();
    });

    const lock = (): RegExp => (flavor === 'mysql' ? /^LOCK TABLES .*_lhmn/ : /^CREATE TABLE .*sentry/);

    /** Writes just before the lock is asked for. */
    function writeLate(): void {
      const run = async (): Promise<void> => {
        await test.query(LATE);
        was = { ...was, rows: await test.rows() };
      };
      intercept(test.knex, { match: lock(), when: 'before', run });
    }

    async function kill(id: number): Promise<void> {
      await test.query(`KILL ${id}`);
      await until(`the end of connection ${id}`, async () =>
        (await migrationConnections(test)).some((row) => row.Id === id) ? undefined : true,
      );
    }

    async function expectMigrated(result: MigrationResult): Promise<void> {
      expect(await test.definition()).to.contain('`extra`');
      expect(without(await test.rows(), 'extra', 'another')).to.deep.equal(was.rows);
      expect(await test.rows(result.oldTable!)).to.have.length(was.rows.length);
      await expectNoLeaks(test);
      await expectWritable(test);
    }

    it('swaps, replays, leaves a window in the counter, and nothing else', async () => {
      writeLate();
      const statements: string[] = [];
      const spy = { when: 'before' as const, run: (_: number, sql: string) => void statements.push(sql) };
      intercept(test.knex, { ...spy, match: /^RENAME TABLE/ });
      intercept(test.knex, { ...spy, match: /^DELETE FROM \S+emails` USING/ });
      const result = await test.migrate(ADD_COLUMN, OPTIONS);
      expect(result.cutOver).to.include({ strategy: 'rename-then-replay', attempts: 1 });
      expect(statements.map((sql) => sql.slice(0, 6))).to.deep.equal(['RENAME', 'DELETE']);
      expect(result.verified).to.include({ notCompared: 0, underLock: 2 });
      expect(await test.definition()).to.contain(`AUTO_INCREMENT=${31 + 11_000} `);
      await expectMigrated(result);
    });

    for (const [what, idWindow, columns, next] of [
      ['as wide as is asked for', 5, 'id INT AUTO_INCREMENT PRIMARY KEY, address VARCHAR(100)', 36],
      ['none', 0, 'id INT AUTO_INCREMENT PRIMARY KEY, address VARCHAR(100)', 31],
      [
        'none where the numbers would come to an end',
        11_000,
        'id SMALLINT AUTO_INCREMENT PRIMARY KEY, address VARCHAR(100)',
        30_001,
      ],
    ] as const) {
      it(`idWindow: ${what}`, async () => {
        await test.query('DROP TABLE emails');
        await test.query(`CREATE TABLE emails (${columns})`);
        await test.query("INSERT INTO emails VALUES (?, 'a')", [next > 30_000 ? 30_000 : 30]);
        await test.migrate(ADD_COLUMN, { ...OPTIONS, idWindow });
        expect(await test.definition()).to.contain(`AUTO_INCREMENT=${next} `);
      });
    }

    it('idWindow with another strategy, too', async () => {
      await test.migrate(ADD_COLUMN, { idWindow: 100 });
      expect(await test.definition()).to.contain('AUTO_INCREMENT=131 ');
    });

    it('converts the last changes as the copy does', async () => {
      writeLate();
      await test.query('ALTER TABLE emails ADD COLUMN f FLOAT NULL');
      await test.query('UPDATE emails SET f = 1234567.125');
      const result = await test.migrate((t, ctx) => {
        t.string('f', 30).alter();
        t.string('upper_address', 200);
        ctx.values['upper_address'] = 'UPPER(address)';
      }, OPTIONS);
      expect(result.verified.underLock).to.equal(2);
      const rows = await test.rows();
      expect(rows.every((row) => row['upper_address'] === String(row['address']).toUpperCase())).to.equal(
        true,
      );
      expect(new Set(rows.map((row) => row['f'])).size).to.equal(1);
      expect(rows[2]).to.include({ note: 'late' });
      await expectNoLeaks(test);
    });

    const killed = mode === 'triggers' ? PLACES : some(PLACES, 1);

    for (const place of PLACES) {
      const [what, statement, when, stands] = place;
      describe(what, () => {
        const stop = { statement, when };

        async function killThere(): Promise<void> {
          // The journal is not empty when the process is killed, if it comes so far.
          const slow = { chunk: { rows: 30 }, verify: false } as const;
          child = ChildMigration.start(test, {
            ...{ alter: 'ADD COLUMN extra INT', stop, options: { ...OPTIONS, ...slow } },
            writeAt: { statement: lock().source, sql: LATE },
          });
          await child.reached();
          await child.kill();
          await until('the end of the killed connections', async () =>
            (await migrationConnections(test)).length === 0 ? true : undefined,
          );
          const bears = (await test.definition()).includes('`extra`');
          expect(bears).to.equal(stands !== 'the original');
          const old = bears ? (await oldTables(test))[0]! : 'emails';
          was = { ...was, rows: await test.rows(old) };
          if (stands !== 'the new table, closed') return;
          for (const sql of [
            "INSERT INTO emails (address) VALUES ('x')",
            'UPDATE emails SET size = 1',
            'DELETE FROM emails',
          ]) {
            const error: unknown = await test.query(sql).catch((reason: unknown) => reason);
            if (!/gate open/.test(what) || !sql.startsWith('INSERT'))
              expect(error).to.include({ errno: 1205 });
          }
          if (/gate open/.test(what)) was = { ...was, rows: without(await test.rows(), 'extra') };
        }

        if (killed.includes(place)) {
          it('the process is killed: the next run puts it right and succeeds', async () => {
            await killThere();
            const swapped = (await test.definition()).includes('`extra`') && /gate/.test(what);
            const result = await test.migrate(
              swapped ? 'ADD COLUMN another INT' : 'ADD COLUMN extra INT',
              OPTIONS,
            );
            await expectMigrated(result);
          });

          it('the process is killed: the clean-up puts it right', async () => {
            await killThere();
            await largeHadronCleanUp('emails', { knex: test.knex });
            expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
            await expectNoLeaks(test);
            await expectWritable(test);
          });
        }

        it('the connection is lost: carries on', async () => {
          writeLate();
          const match = new RegExp(statement, 's');
          const lost = intercept(test.knex, { match, when, run: kill });
          const result = await test.migrate(ADD_COLUMN, { ...OPTIONS, reconnectMs: 20_000 });
          expect(lost.happened).to.equal(true);
          await expectMigrated(result);
        });
      });
    }

    it('the last changes take too long: taken back under the lock, and tried again', async () => {
      writeLate();
      const run = async (): Promise<void> => {
        await test.query('DO SLEEP(1.2)');
      };
      intercept(test.knex, { match: /^DELETE FROM \S+emails` USING/, when: 'before', run });
      const result = await test.migrate(ADD_COLUMN, { mode, cutOver: { ...REPLAY, drainBudgetMs: 1000 } });
      expect(result.cutOver.attempts).to.equal(2);
      await expectMigrated(result);
    });

    if (mode === 'binlog') {
      it('the log is read again from before a swap that was taken back: no change is lost', async () => {
        writeLate();
        const run = async (): Promise<void> => {
          await killLogReaders(test);
          await test.query('DO SLEEP(0.3)');
        };
        intercept(test.knex, { match: /^DELETE FROM \S+emails` USING/, when: 'before', run });
        const again = async (): Promise<void> => {
          await test.query("UPDATE emails SET note = 'between' WHERE id IN (4, 5)");
          was = { ...was, rows: await test.rows() };
        };
        intercept(test.knex, { match: lock(), when: 'before', skip: 1, run: again });
        const options = { mode, cutOver: { ...REPLAY, drainBudgetMs: 200 }, verify: false };
        const result = await test.migrate(ADD_COLUMN, options);
        expect(result.cutOver.attempts).to.be.at.least(2);
        await expectMigrated(result);
      });
    }

    if (flavor === 'mariadb') {
      it('what would unlock the tables is killed after a swap that failed: nobody waits for ever', async () => {
        writeLate();
        const killed = { errno: 1317, code: 'ER_QUERY_INTERRUPTED' };
        const run = (): Promise<void> => Promise.reject(Object.assign(new Error('killed'), killed));
        const failed = intercept(test.knex, { match: /^DROP TABLE \S+_lhmo/, when: 'before', run });
        const unlock = { test: (sql: string) => failed.happened && sql === 'UNLOCK TABLES' } as RegExp;
        const notUnlocked = intercept(test.knex, { match: unlock, when: 'before', run });
        const result = await test.migrate(ADD_COLUMN, { ...OPTIONS, giveUpAfterMs: 10_000 });
        expect(notUnlocked.happened).to.equal(true);
        expect(result.cutOver.attempts).to.equal(2);
        await expectMigrated(result);
      });
    }

    it('a row that does not fit: the original stays', async () => {
      const run = (): Promise<void> =>
        test.query("UPDATE emails SET note = 'much too long' WHERE id = 5").then(() => undefined);
      await test.query("UPDATE emails SET note = 'short'");
      was = { ...was, rows: await test.rows() };
      intercept(test.knex, { match: lock(), when: 'before', run });
      const error = await test.failure((t) => void t.string('note', 7).alter(), OPTIONS);
      was.rows[4] = { ...was.rows[4], note: 'much too long' };
      await expectTakenBack(test, error, was, { code: 'LHM_DATA_WOULD_BE_LOST', phase: 'cut-over' });
    });

    it('somebody truncates the new table while it is closed: nobody guesses', async () => {
      child = ChildMigration.start(test, {
        ...{ alter: 'ADD COLUMN extra INT', options: OPTIONS },
        stop: { statement: '^RENAME TABLE', when: 'after' },
      });
      await child.reached();
      await child.kill();
      await until('the end of the killed connections', async () =>
        (await migrationConnections(test)).length === 0 ? true : undefined,
      );
      await test.query('TRUNCATE emails');
      const error = await test.failure('ADD COLUMN extra INT');
      expect(error.code).to.equal('LHM_HALF_SWAPPED');
      expect(error.hint).to.contain('RENAME TABLE');
      const [old] = await oldTables(test);
      expect(await test.rows(old)).to.deep.equal(was.rows);
      await test.query(`RENAME TABLE emails TO emails_lhmn, \`${old}\` TO emails`);
      await test.query('TRUNCATE emails');
      await test.migrate('ADD COLUMN extra INT');
      expect(await test.rows()).to.deep.equal([]);
      await expectNoLeaks(test);
    });
  });
}
