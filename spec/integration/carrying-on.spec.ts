import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { startServer, type Mode, type RunningServer } from '../support/servers';
import { failureOf, TestTable, without, type Options } from '../support/test-table';
import { migrationConnections, until, untilWaiting } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { aroundQueries, intercept } from '../support/test-table-statements';

const SMALL_CHUNKS = { chunk: { rows: 7 }, verify: { rows: 7 } };

const CHUNK = /^INSERT INTO \S+_lhmn`(?!.*FALSE)/;
const JOURNAL_LOCKED = /^SELECT COUNT\(\*\) AS entries FROM \S+_lhmj_\S+ WHERE.*LOCK IN SHARE/;

interface Slow {
  readonly what: string;
  readonly match: RegExp;
  readonly skip?: number;
  /** The statement, made to run until it is killed. */
  readonly slow: (sql: string) => string;
}

const first = (sql: string): string => sql.replace(/^SELECT /, 'SELECT SLEEP(60) AS slept, ');

const STATEMENTS: readonly Slow[] = [
  { what: 'a chunk is copied', match: CHUNK, skip: 1, slow: (sql) => `${sql} AND SLEEP(60) = 0` },
  {
    what: 'the owner is checked',
    match: /^SELECT epoch .* LOCK IN SHARE MODE/,
    skip: 3,
    slow: first,
  },
  { what: 'the observer looks at its lock', match: /IS_USED_LOCK/, skip: 2, slow: first },
  { what: 'rows are compared', match: /^SELECT hadron_rows/, skip: 1, slow: first },
  { what: 'the journal is proved empty under the lock', match: JOURNAL_LOCKED, slow: first },
  { what: 'the journal is looked at once more', match: JOURNAL_LOCKED, skip: 1, slow: first },
];

type Place = readonly [what: string, match: RegExp, when: 'before' | 'after', skip?: number, only?: Mode];

/** Where the server goes down: before the statement is sent, or when its answer is there. */
const PLACES: readonly Place[] = [
  ['before a chunk is copied', CHUNK, 'before', 2],
  ['when a chunk was copied, before its COMMIT', /^UPDATE .* SET copied_to/, 'after', 1],
  ['before rows are compared', /^SELECT hadron_rows/, 'before', 1],
  ['when the lock of the cut-over is held', /^LOCK TABLES .*_lhmn/, 'after'],
  ['before the tables are renamed', /^RENAME TABLE/, 'before'],
  ['when the tables were renamed', /^RENAME TABLE/, 'after'],
  ['before a trigger is dropped', /^DROP TRIGGER IF EXISTS \S+_lhmu/, 'before', 0, 'triggers'],
  ['before keys are written down', /^INSERT INTO \S+_lhmj_.*'update'/, 'before', 0, 'binlog'],
  ['when keys were written down', /^UPDATE \S+_lhmc_\S+ SET position/, 'after', 0, 'binlog'],
];

for (const { flavor, mode, on, every, once, itOnce } of serversAndModes()) {
  describe(`carrying on, on ${on}`, function () {
    this.timeout(120_000);

    let server: RunningServer;
    let test: TestTable;
    let was: Record<string, unknown>[];

    before(async () => {
      // What was committed is there after a SIGKILL, and in the binary log.
      server = await startServer(flavor, {
        mode,
        args: ['--innodb-flush-log-at-trx-commit=1', '--sync-binlog=1'],
      });
    });
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = await test.rows();
    });
    afterEach(() => test.drop());

    const migrate = (options: Options = {}): ReturnType<TestTable['migrate']> =>
      test.migrate(ADD_COLUMN, { ...SMALL_CHUNKS, reconnectMs: 60_000, ...options });

    async function expectMigrated(options: Options = {}): Promise<void> {
      const result = await migrate(options);
      expect(result.rowsCopied).to.equal(was.length);
      expect(result.verified).to.include({ rows: was.length, notCompared: 0 });
      expect(await test.definition()).to.contain('`extra`');
      expect(without(await test.rows(), 'extra')).to.deep.equal(was);
      await expectNoLeaks(test);
      await expectWritable(test);
    }

    describe('after KILL QUERY while', () => {
      for (const { what, match, skip = 0, slow } of every(3, STATEMENTS)) {
        it(what, async () => {
          let killed: Promise<unknown> | undefined;
          const run = (id: number): void => {
            killed = until('the statement to run', async () =>
              (await migrationConnections(test)).find(
                ({ Id, Info }) => Id === id && /SLEEP/.test(Info ?? ''),
              ),
            ).then(() => test.query(`KILL QUERY ${id}`));
          };
          intercept(test.knex, { match, when: 'before', skip, rewrite: slow, run });
          await expectMigrated();
          expect(await killed).not.to.equal(undefined);
        });
      }

      itOnce('the lock of the cut-over is waited for', async () => {
        const holder = await test.connect();
        let killed: Promise<unknown> | undefined;
        const hold = async (): Promise<void> => {
          await holder.query('START TRANSACTION');
          await holder.query('SELECT COUNT(*) FROM emails');
          killed = untilWaiting(test, /^LOCK TABLES .*_lhmn/)
            .then(({ Id }) => test.query(`KILL QUERY ${Id}`))
            .then(() => holder.query('ROLLBACK'));
        };
        // One who has held the table for longer than this is waited for without asking for the lock.
        await expectMigrated({ hooks: { beforeCutOver: hold }, cutOver: { lockTimeoutMs: 30_000 } });
        expect(await killed).not.to.equal(undefined);
      });

      itOnce('the RENAME waits behind the sentry', async () => {
        const run = async (): Promise<void> => {
          const { Id } = await untilWaiting(test, /^RENAME TABLE/);
          await test.query(`KILL QUERY ${Id}`);
          await until('the end of the RENAME', async () =>
            (await migrationConnections(test)).some(({ Info }) => /^RENAME/.test(Info ?? ''))
              ? undefined
              : true,
          );
        };
        const killed = intercept(test.knex, { match: /^DROP TABLE .*_lhmo_/, when: 'before', run });
        await expectMigrated({ cutOver: { strategy: 'sentry' } });
        expect(killed.happened).to.equal(true);
      });
    });

    describe('after the server was killed', () => {
      for (const [what, match, when, skip = 0, only = mode] of every(2, PLACES)) {
        if (only !== mode) continue;
        it(what, async () => {
          // It may be down before its answer to this is there.
          const write = async (): Promise<void> => {
            const client = await test.connect();
            was = was.map((row) => (row['id'] === 5 ? { ...row, note: 'meanwhile' } : row));
            await client.query("UPDATE emails SET note = 'meanwhile' WHERE id = 5").catch(() => undefined);
          };
          const run = async (): Promise<void> => {
            await server.kill();
            await server.start();
            await test.reconnect();
          };
          const down = intercept(test.knex, { match, when, skip, run });
          await expectMigrated({ hooks: { beforeRowCopy: write } });
          expect(down.happened).to.equal(true);
        });
      }
    });

    it('never kills a connection that has got the number of a lost one after a restart', async function () {
      // With the binary log, connections of the library's own come back at once, and may get that number.
      if (mode === 'binlog') return this.skip();
      const others: Connection[] = [];
      const run = async (id: number): Promise<void> => {
        await server.kill();
        await server.start();
        await test.reconnect();
        for (let round = 0; round < id && others.at(-1)?.threadId !== id; round++)
          others.push(await test.connect());
        expect(others.at(-1)?.threadId).to.equal(id);
      };
      const down = intercept(test.knex, { match: CHUNK, when: 'before', skip: 1, run });
      await migrate();
      expect(down.happened).to.equal(true);
      for (const other of others) await other.ping();
    });

    itOnce('after a restart that took back numbers of the counter', async () => {
      // Numbers are set aside for more rows than the statement turns out to have.
      const insert = "INSERT INTO emails (address) SELECT CONCAT('more ', id) FROM emails";
      const counter = async (): Promise<number> =>
        Number(/AUTO_INCREMENT=(\d+)/.exec(await test.definition())?.[1]);
      await test.query(insert);
      was = await test.rows();
      const before = await counter();
      const run = async (): Promise<void> => {
        await server.restart();
        await test.reconnect();
        expect(await counter()).to.be.below(before);
      };
      const down = intercept(test.knex, { match: CHUNK, when: 'before', skip: 1, run });
      await expectMigrated();
      expect(down.happened).to.equal(true);
    });

    itOnce('not with variables of the session that was lost', async () => {
      const kill = (id: number): Promise<void> => test.query(`KILL ${id}`).then(() => undefined);
      const killed = intercept(test.knex, { match: CHUNK, when: 'before', skip: 2, run: kill });
      const error = await test.failure(
        async (table, ctx) => {
          await ctx.raw('SET @factor = 2');
          table.integer('twice');
          ctx.values['twice'] = 'size * @factor';
        },
        { ...SMALL_CHUNKS, reconnectMs: 60_000 },
      );
      expect(killed.happened).to.equal(true);
      expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
      expect(await test.rows()).to.deep.equal(was);
      await expectNoLeaks(test);
    });

    for (const [what, match, when, , only = mode] of once<Place>([
      ['when the tables were renamed', /^RENAME TABLE/, 'after'],
      ['before the triggers are dropped', /^DROP TRIGGER IF EXISTS/, 'before', 0, 'triggers'],
    ])) {
      if (only !== mode) continue;
      it(`a run that takes over ${what} is not taken for what was left`, async () => {
        let second: Promise<unknown> = Promise.resolve();
        let finish = (): void => undefined;
        const finished = new Promise<void>((resolve) => (finish = resolve));
        const knex = test.makeKnex();
        const run = async (): Promise<void> => {
          for (const { Id } of await migrationConnections(test)) await test.query(`KILL ${Id}`);
          await until('the first to be gone', async () =>
            (await migrationConnections(test)).length === 0 ? true : undefined,
          );
          await new Promise<void>((begun) => {
            const beforeRowCopy = async (): Promise<void> => {
              begun();
              await finished;
            };
            second = test.migrate('ALTER TABLE emails ADD COLUMN more INT NULL', {
              knex,
              hooks: { beforeRowCopy },
            });
            second.catch(begun);
          });
        };
        const lost = intercept(test.knex, { match, when, run });
        const error = await test.failure(ADD_COLUMN, { reconnectMs: 60_000 });
        finish();
        await second;
        expect(lost.happened).to.equal(true);
        expect(error).to.include({ code: 'LHM_OWNERSHIP_LOST', outcome: 'swapped' });
        expect(error.leftovers).to.deep.equal([]);
        expect(error.hint).not.to.contain('Nothing was swapped');
        expect(await test.definition()).to.match(/`extra`[^]*`more`/);
      });
    }

    it('after a clean restart, with what was written meanwhile', async () => {
      const run = async (): Promise<void> => {
        await server.restart();
        await test.reconnect();
        await test.query("UPDATE emails SET note = 'after the restart' WHERE id IN (3, 29)");
        await test.query('DELETE FROM emails WHERE id = 2');
        await test.query("INSERT INTO emails (id, address) VALUES (500, 'new')");
        was = await test.rows();
      };
      intercept(test.knex, { match: CHUNK, when: 'before', skip: 2, run });
      const result = await migrate();
      expect(without(await test.rows(), 'extra')).to.deep.equal(was);
      expect(result.changesApplied).to.be.at.least(2);
      await expectNoLeaks(test);
    });

    it('not when the server stays away: the error says that nothing is known, and the next run begins anew', async () => {
      intercept(test.knex, { match: CHUNK, when: 'before', skip: 2, run: () => server.kill() });
      const error = await failureOf(migrate({ reconnectMs: 300 }));
      await server.start();
      await test.reconnect();
      expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'unknown', phase: 'copy' });
      expect(error.leftovers.map(({ name }) => name).join())
        .to.contain('emails_lhmn')
        .and.contain('emails_lhmi');
      expect(without(await test.rows(), 'extra')).to.deep.equal(was);
      await expectMigrated();
    });

    itOnce('not when another run took over: that one finishes', async () => {
      let second: Promise<unknown> | undefined;
      const run = async (): Promise<void> => {
        const [observer] = await migrationConnections(test);
        await test.query(`KILL ${observer?.Id}`);
        await until('the end of the observer', async () =>
          (await migrationConnections(test)).some(({ Id }) => Id === observer?.Id) ? undefined : true,
        );
        second = migrate();
        await second;
      };
      // Between two transactions: within one, the other run would wait for its locks.
      intercept(test.knex, { match: /IS_USED_LOCK/, when: 'before', skip: 2, run });
      const error = await failureOf(migrate());
      expect(error.code).to.equal('LHM_OWNERSHIP_LOST');
      await second;
      await expectNoLeaks(test);
    });

    itOnce(
      'not when another run is about to take over: what bears names that it will use, too, is left to it',
      async () => {
        let other: Connection | undefined;
        let lock = '';
        aroundQueries(test.knex, (query) => (sql, values, callback) => {
          if (sql === 'SELECT GET_LOCK(?, ?) AS granted') lock ||= String(values[0]);
          return query(sql, values, callback);
        });
        const run = async (): Promise<void> => {
          for (const { Id } of await migrationConnections(test)) await test.query(`KILL ${Id}`);
          other = await test.connect();
          const [row] = (await other.query('SELECT GET_LOCK(?, 10) AS granted', [lock]))[0] as {
            granted: number;
          }[];
          expect(row?.granted).to.equal(1);
        };
        const lost = intercept(test.knex, { match: CHUNK, when: 'before', skip: 2, run });
        const error = await failureOf(migrate({ reconnectMs: 0 }));
        expect(lost.happened).to.equal(true);
        expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
        const left = await test.query<Record<string, string>>("SHOW TABLES LIKE 'emails\\_lhm%'");
        expect(left.flatMap((row) => Object.values(row))).to.have.members(['emails_lhmn', 'emails_lhms']);
        await other?.query('SELECT RELEASE_LOCK(?)', [lock]);
        await expectMigrated();
      },
    );

    itOnce("after a lock wait timeout on somebody's lock on the new table", async () => {
      const holder = await test.connect();
      const hold = async (): Promise<void> => {
        await holder.query('START TRANSACTION');
        await holder.query('SELECT * FROM emails_lhmn WHERE id > 7 FOR UPDATE');
      };
      const release = (): Promise<void> => holder.query('ROLLBACK').then(() => undefined);
      const timedOut = intercept(test.knex, { match: CHUNK, when: 'after', skip: 1, run: release });
      intercept(test.knex, { match: CHUNK, when: 'before', skip: 1, run: hold });
      await expectMigrated();
      expect(timedOut.happened).to.equal(true);
    });

    itOnce('after a deadlock with somebody who reads what a dead run would leave', async () => {
      const other = await test.connect();
      await other.query('CREATE TABLE heavy (id INT PRIMARY KEY AUTO_INCREMENT, x INT)');
      await other.query('INSERT INTO heavy (x) VALUES (1), (1), (1), (1), (1), (1), (1), (1)');
      let waited: Promise<unknown> | undefined;
      const run = async (): Promise<void> => {
        await other.query('START TRANSACTION');
        // The transaction that changed less is the victim.
        await other.query('INSERT INTO heavy (x) SELECT a.x FROM heavy a, heavy b, heavy c');
        await other.query('SELECT * FROM emails_lhms LOCK IN SHARE MODE');
        waited = other.query('SELECT * FROM emails_lhmn FOR UPDATE').finally(() => other.query('ROLLBACK'));
        const waits = async (): Promise<true | undefined> => {
          const rows = await test.query<{ n: number }>(
            "SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'",
          );
          return Number(rows[0]?.n) > 0 ? true : undefined;
        };
        await until('the other to wait', waits, 150);
      };
      const met = intercept(test.knex, { match: /^UPDATE .* SET copied_to/, when: 'before', skip: 1, run });
      const result = await migrate();
      await waited;
      expect(met.happened).to.equal(true);
      expect(result.rowsCopied).to.equal(was.length);
      expect(without(await test.rows(), 'extra')).to.deep.equal(was);
      await test.query('DROP TABLE heavy');
      await expectNoLeaks(test);
    });
  });
}
