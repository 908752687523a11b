import { expect } from 'chai';

import type { Database } from '../../lib/database/database';
import { connectDatabase } from '../../lib/database/mysql-database';
import { isConnectionLoss } from '../../lib/database/server-error';
import type { Session } from '../../lib/database/session';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';

/** Two may use the same session: one that makes it anew, and one that asks something meanwhile. */
for (const flavor of availableFlavors()) {
  describe(`a session that is made anew while others use it, on ${flavor}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let database: Database;
    let session: Session;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      database = await connectDatabase(test.knex);
      session = await database.open('shared');
    });
    afterEach(async () => {
      await database.close();
      await test.drop();
    });

    async function lose(): Promise<void> {
      await test.query(`KILL ${session.id}`);
      await until('the session to be known as lost', async () => {
        await session.query('DO 0').catch(() => undefined);
        return session.lost ? true : undefined;
      });
    }

    it('fails for both when the server is not there, and answers when it is', async () => {
      await lose();
      await server.kill();
      for (let round = 0; round < 3; round++) {
        const asked = errorOf(connecting(session).then(() => session.query('SELECT 1')));
        const made = errorOf(database.reopen(session));
        expect(isConnectionLoss(await asked)).to.equal(true);
        expect(await made).to.include({ code: 'ECONNREFUSED' });
        expect(session.lost).to.equal(true);
      }
      await server.start();
      await test.reconnect();
      await database.reopen(session);
      expect(session.lost).to.equal(false);
      expect(await session.query("SELECT 'one' AS one")).to.deep.equal([{ one: 'one' }]);
    });

    it('answers what was asked of the lost connection: that it is lost', async () => {
      const { id } = session;
      const slow = errorOf(session.query('SELECT SLEEP(60) FROM emails'));
      const behind = errorOf(session.query('SELECT 2'));
      // The server goes on with the first; what was known as lost is cut.
      Object.assign(session, { lost: true });
      await database.reopen(session);
      await test.query(`KILL ${id}`);
      for (const error of [await slow, await behind]) expect(isConnectionLoss(error)).to.equal(true);
      expect(session.lost).to.equal(false);
      expect(await session.query("SELECT 'three' AS three")).to.deep.equal([{ three: 'three' }]);
    });

    it('is left by whoever makes it anew when the database was closed meanwhile', async () => {
      await lose();
      const opened = errorOf(database.open('late'));
      const made = errorOf(database.reopen(session));
      await connecting(session);
      await database.close();
      for (const error of [await made, await opened]) expect(error).to.be.instanceOf(Error);
      await until('the end of both connections', async () => {
        const list = await test.query<{ Id: number }>('SHOW PROCESSLIST');
        return list.some(({ Id }) => Id > session.id) ? undefined : true;
      });
    });

    it('is made anew by one and closed by another', async () => {
      await lose();
      await server.kill();
      const closed = connecting(session).then(() => session.close());
      const made = errorOf(database.reopen(session));
      await closed;
      expect(isConnectionLoss(await made)).to.equal(true);
      await server.start();
      await test.reconnect();
    });
  });
}

/** Resolves as soon as another connection is in the place of the lost one, and before the server has greeted. */
function connecting(session: Session): Promise<void> {
  return new Promise((resolve) => {
    let { connection } = session as unknown as { connection: unknown };
    Object.defineProperty(session, 'connection', {
      configurable: true,
      get: () => connection,
      set(other: unknown) {
        connection = other;
        resolve();
      },
    });
  });
}

function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'it has come to an end',
    (error: unknown) => error,
  );
}
