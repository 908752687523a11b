import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import { largeHadronCleanUp, LargeHadronError, type MigrationResult } from '../../lib';
import { liveLock } from '../../lib/database/metadata-locks';
import { connectDatabase } from '../../lib/database/mysql-database';
import { Cleaner } from '../../lib/migration/cleaner';
import { derivedNames } from '../../lib/schema/derived-names';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { aroundQueries, intercept } from '../support/test-table-statements';

/** What the application does in a transaction that stays open, and which DROP of the clean-up waits for that. */
const HELD = [
  ['a trigger', "UPDATE emails SET note = 'held' WHERE id = 5", /^DROP TRIGGER/],
  ['the ghost', 'SELECT COUNT(*) FROM emails_lhmn', /^DROP TABLE IF EXISTS \S+_lhmn`/],
] as const;

interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`a clean-up that is overtaken by the next run on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let holder: Connection;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      holder = await test.connect();
    });
    afterEach(() => test.drop());

    const waiting = async (statement: RegExp, but: readonly number[]): Promise<number[]> =>
      (await migrationConnections(test, but))
        .filter(({ Info, State }) => statement.test(Info ?? '') && /metadata lock/i.test(State ?? ''))
        .map(({ Id }) => Id);

    for (const [what, does, drop] of HELD) {
      // Only that mode has triggers of its own.
      if (mode === 'binlog' && what === 'a trigger') continue;
      for (const whose of ['the observer', 'every connection'] as const) {
        it(`${what} of the next run is not dropped by a run that had lost ${whose}`, async () => {
          const [begun, copying] = [gate(), gate()];
          let [lost, lock] = [false, ''];
          const first = test.makeKnex();
          aroundQueries(first, (query) => (sql, values, callback) => {
            const [asksForLock, removes] = [sql.includes('GET_LOCK(?, ?)'), /^(DROP|LOCK TABLES)/.test(sql)];
            if (asksForLock) lock = String(values[0]);
            if (!lost || !(asksForLock || removes)) return query(sql, values, callback);
            void (asksForLock ? begun : copying).passed.then(() => void query(sql, values, callback));
            return undefined;
          });
          const stop = async (): Promise<void> => {
            await holder.query('START TRANSACTION');
            await holder.query(does);
            throw new Error('stop');
          };
          const failed = test.failure(ADD_COLUMN, { knex: first, hooks: { beforeCutOver: stop } });
          await until('its DROP', async () => ((await waiting(drop, [])).length > 0 ? true : undefined));
          const connections = (await migrationConnections(test, [holder.threadId])).map(({ Id }) => Id);
          lost = true;
          for (const id of whose === 'the observer' ? connections.slice(0, 1) : connections)
            await test.query(`KILL ${id}`);
          await until('the lock', async () => {
            const [row] = await test.query('SELECT IS_USED_LOCK(?) AS holder', [lock]);
            return row?.['holder'] === null ? true : undefined;
          });

          const run = async (): Promise<MigrationResult> => {
            const knex = test.makeKnex();
            aroundQueries(knex, (query) => (sql, values, callback) => {
              if (!sql.includes('GET_LOCK(?, ?)')) return query(sql, values, callback);
              return query(sql, values, (...answer) => {
                begun.open();
                callback(...answer);
              });
            });
            const beforeRowCopy = async (): Promise<void> => {
              copying.open();
              await failed;
            };
            return test.migrate('ADD COLUMN more INT NULL', { knex, hooks: { beforeRowCopy } });
          };
          const second = run();
          second.catch(() => copying.open());
          await until("the next run's DROP", async () =>
            (await waiting(/^DROP/, connections)).length > 0 ? true : undefined,
          );
          await holder.query('COMMIT');
          const error = await failed;
          await second;
          expect(error).to.be.instanceOf(LargeHadronError);
          expect(error.outcome).to.equal('rolled-back');
          expect(error.leftovers).to.deep.equal([]);
          const rows = without(await test.rows(), 'more');
          expect(rows).to.have.length(30);
          expect(rows[4]).to.include({ note: what === 'a trigger' ? 'held' : 'note 5' });
          expect(await test.definition())
            .to.contain('`more`')
            .and.not.to.contain('`extra`');
          await expectNoLeaks(test);
        });
      }
    }

    it('says nothing of a swap that the next run is about to take back', async () => {
      let lock = '';
      aroundQueries(test.knex, (query) => (sql, values, callback) => {
        if (sql.includes('GET_LOCK(?, ?)')) lock ||= String(values[0]);
        return query(sql, values, callback);
      });
      const run = async (): Promise<void> => {
        // First those that would take it back themselves.
        const connections = await migrationConnections(test, [holder.threadId]);
        for (const { Id } of connections.reverse()) await test.query(`KILL ${Id}`);
        const [row] = (await holder.query('SELECT GET_LOCK(?, 20) AS granted', [lock]))[0] as {
          granted: number;
        }[];
        expect(Number(row?.granted)).to.equal(1);
      };
      const lost = intercept(test.knex, { match: /^RENAME TABLE/, when: 'after', run });
      // Nor does it get to take it back itself.
      aroundQueries(test.knex, (query) => (sql, values, callback) => {
        if (!lost.happened || !sql.startsWith('RENAME')) return query(sql, values, callback);
        callback(Object.assign(new Error('cut off'), { code: 'ECONNRESET', fatal: true }));
        return undefined;
      });
      const error = await test.failure(ADD_COLUMN, {
        ...{ reconnectMs: 0, cutOver: { strategy: 'rename-then-replay' } },
      });
      expect(lost.happened).to.equal(true);
      expect(error.outcome, error.message).to.equal('unknown');
      await holder.query('SELECT RELEASE_LOCK(?)', [lock]);
      await test.migrate(ADD_COLUMN, { knex: test.makeKnex() });
      expect(await test.rows()).to.have.length(30);
      await expectNoLeaks(test);
    });

    it('is not made while somebody else has the lock, and what stays is named', async () => {
      let lock = '';
      aroundQueries(test.knex, (query) => (sql, values, callback) => {
        if (sql.includes('GET_LOCK(?, ?)')) lock ||= String(values[0]);
        return query(sql, values, callback);
      });
      const beforeCutOver = async (): Promise<void> => {
        const waiting = holder.query('SELECT GET_LOCK(?, 20) AS granted', [lock]);
        for (const { Id } of await migrationConnections(test, [holder.threadId]))
          await test.query(`KILL ${Id}`);
        const [row] = (await waiting)[0] as { granted: number }[];
        expect(Number(row?.granted)).to.equal(1);
        throw new Error('stop');
      };
      const error = await test.failure(ADD_COLUMN, { hooks: { beforeCutOver } });
      expect(error.outcome, error.message).to.equal('rolled-back');
      const there = (
        await test.query<{ name: string }>(
          `SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name FROM information_schema.TABLES
          WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'emails'`,
        )
      ).map(({ name }) => name);
      expect(there).to.include(`${test.database}.emails_lhmn`);
      expect(error.leftovers.map(({ name }) => name)).to.have.members(there);
      expect(error.hint).to.match(/largeHadronCleanUp.*May be left/);
      await test.query("INSERT INTO emails (id, address) VALUES (5000, 'on')");
      await holder.query('SELECT RELEASE_LOCK(?)', [lock]);
      await largeHadronCleanUp('emails', { knex: test.makeKnex() });
      expect(await test.rows()).to.have.length(31);
      await expectNoLeaks(test);
    });

    it('by a run that no longer owns anything goes what would fail every write, and no more', async () => {
      const [mine, others] = ['1', '2'].map((timestamp) => derivedNames('emails', timestamp));
      for (const [names, trigger] of [
        [mine!, mine!.triggers.insert],
        [mine!, mine!.triggers.delete],
        [others!, mine!.triggers.update],
      ] as const) {
        const event = trigger.endsWith('i') ? 'INSERT' : trigger.endsWith('u') ? 'UPDATE' : 'DELETE';
        await test.query(
          `CREATE TRIGGER ${trigger} AFTER ${event} ON emails FOR EACH ROW INSERT INTO ${names.journal} VALUES (1)`,
        );
      }
      await test.query(`CREATE TABLE ${others!.journal} (id INT)`);
      const database = await connectDatabase(test.knex);
      try {
        const cleaner = new Cleaner(test.database, 'emails', mine!, liveLock(0));
        await cleaner.removeTimestamped(await database.open('spec'));
      } finally {
        await database.close();
      }
      expect(await test.triggers()).to.deep.equal([mine!.triggers.update]);
      await test.query('UPDATE emails SET size = 1 WHERE id = 1');
      await test.query('DELETE FROM emails WHERE id = 1');
      expect(await test.query(`SELECT * FROM ${others!.journal}`)).to.have.length(1);
    });

    for (const how of ['killed', 'cut off'] as const) {
      it(`a connection that is ${how} while its DROP waits holds its named lock until that has ended`, async () => {
        await test.query('CREATE TRIGGER theirs AFTER INSERT ON emails FOR EACH ROW SET @a = 1');
        await holder.query('START TRANSACTION');
        await holder.query('SELECT COUNT(*) FROM emails');
        const [one, two] = [await test.connect(), await test.connect()];
        await one.query("SELECT GET_LOCK('spec', 0)");
        await one.query('SET SESSION lock_wait_timeout = 1');
        const dropping = one.query('DROP TRIGGER theirs').catch(() => undefined);
        await until('its DROP', async () => ((await waiting(/^DROP/, [])).length > 0 ? true : undefined));
        if (how === 'killed') await test.query(`KILL ${one.threadId}`);
        else one.destroy();
        const [[row]] = (await two.query("SELECT GET_LOCK('spec', 20) AS granted")) as unknown as [
          { granted: number }[],
        ];
        expect(Number(row?.granted)).to.equal(1);
        await holder.query('COMMIT');
        if (how === 'killed') await dropping;
        // A DROP of its own, were it still waiting, would come before this.
        await two.query('LOCK TABLES emails WRITE');
        await two.query('UNLOCK TABLES');
        expect(await test.triggers()).to.deep.equal(['theirs']);
      });
    }
  });
}
