import { expect } from 'chai';

import { AdvisoryLock } from '../../lib/database/advisory-lock';
import { largeHadronCleanUp } from '../../lib';
import type { Database } from '../../lib/database/database';
import { connectDatabase } from '../../lib/database/mysql-database';
import { openReadViews } from '../../lib/database/read-views';
import { tableHolders } from '../../lib/database/table-holders';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`who holds a table or a read view on ${on}`, () => {
    let server: RunningServer;
    let test: TestTable;
    let database: Database;

    before(async () => {
      server = await startServer(flavor, { mode });
      test = await TestTable.create(server);
      database = await connectDatabase(test.knex);
    });
    after(async () => {
      await database.close();
      await test.drop();
      await server.stop();
    });

    const untilLockIsWaitedFor = (): Promise<true> =>
      until('the lock to be waited for', async () => {
        const list = await test.query<{ State: string | null }>('SHOW PROCESSLIST');
        return list.some(({ State }) => State === 'User lock') ? true : undefined;
      });

    itOnce(
      'an open view is seen from when it is opened until it is closed, and our own are left out',
      async () => {
        const observer = await database.open('observer');
        const own = await database.open('own');
        const other = await database.open('other');
        for (const session of [own, other]) {
          await session.execute('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
          await session.execute('START TRANSACTION WITH CONSISTENT SNAPSHOT');
          await session.query(`SELECT * FROM \`${test.database}\`.emails`);
        }
        const seen = async (): Promise<number[]> =>
          (await openReadViews(observer, database.server, [own.id])).map(({ connection }) => connection);
        expect(await seen()).to.deep.equal([other.id]);
        await other.execute('COMMIT');
        expect(await seen()).to.deep.equal([]);
        await own.execute('COMMIT');
      },
    );

    itOnce('a holder of the table is seen where the server tells, and our own are left out', async () => {
      const observer = await database.open('observer');
      const own = await database.open('own');
      const other = await database.open('other');
      for (const session of [own, other]) {
        await session.execute('START TRANSACTION');
        await session.query(`SELECT * FROM \`${test.database}\`.emails`);
      }
      const holders = await tableHolders(observer, test.database, 'emails', [own.id]);
      // MariaDB's performance_schema is off unless it is asked for.
      const [schema] = await test.query<{ on: number }>('SELECT @@GLOBAL.performance_schema AS `on`');
      expect(holders?.map(({ connection }) => connection) ?? []).to.deep.equal(
        Number(schema?.on) === 1 ? [other.id] : [],
      );
      for (const session of [own, other]) await session.execute('COMMIT');
    });

    it('who has the lock of migrations for a moment, as a clean-up does, keeps no migration away', async () => {
      const brief = await database.open('brief');
      const lock = new AdvisoryLock(brief, test.database, 'emails');
      await lock.acquire('emails');
      const migrated = test.migrate(ADD_COLUMN, { knex: test.makeKnex() });
      await untilLockIsWaitedFor();
      await lock.release();
      expect((await migrated).rowsCopied).to.be.above(0);
    });

    it('a run whose connection was lost is not taken for dead by a clean-up that waits for its lock', async () => {
      let cleaned: Promise<unknown> = Promise.resolve();
      const { verified } = await test.migrate('ADD COLUMN another INT', {
        knex: test.makeKnex(),
        chunk: { rows: 2, pauseMs: 10 },
        hooks: {
          beforeRowCopy: async () => {
            const { name } = new AdvisoryLock(await database.open('unused'), test.database, 'emails');
            const [row] = await test.query<{ holder: number }>(`SELECT IS_USED_LOCK('${name}') AS holder`);
            cleaned = largeHadronCleanUp('emails', { knex: test.makeKnex() }).catch(
              (error: unknown) => error,
            );
            await untilLockIsWaitedFor();
            // It is granted to the clean-up at this moment.
            await test.query(`KILL ${row!.holder}`);
          },
          beforeCutOver: async () => {
            await cleaned;
          },
        },
      });
      expect(await cleaned).to.include({ code: 'LHM_ALREADY_RUNNING', outcome: 'untouched' });
      expect(verified.notCompared).to.equal(0);
    });
  });
}
