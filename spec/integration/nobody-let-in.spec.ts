import type { Socket } from 'node:net';

import { expect } from 'chai';

import type { ProgressSnapshot } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { balance, ConnectionProxy } from '../support/proxy/connection-proxy';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** As a server greets that has as many connections as it takes. */
function refuse(client: Socket): readonly Socket[] {
  const payload = Buffer.concat([Buffer.from([0xff, 0x10, 0x04]), Buffer.from('Too many connections')]);
  client.end(Buffer.concat([Buffer.from([payload.length, 0, 0, 0]), payload]));
  return [];
}

/** In the middle of a migration the server takes no more connections for a while. */
for (const flavor of availableFlavors()) {
  describe(`a server that lets nobody more in, on ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let proxy: ConnectionProxy;
    let full: boolean;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      full = false;
      const link = balance(() => server.connection);
      proxy = await ConnectionProxy.start((client, number) => (full ? refuse(client) : link(client, number)));
    });
    afterEach(async () => {
      await proxy.stop();
      await test.drop();
    });

    /** It lets in again once the migration has told that it waits. */
    async function expectWaitedFor(options: Options, knex = test.makeKnex({}, proxy.address)): Promise<void> {
      const waited: string[] = [];
      const { oldTable } = await test.migrate(ADD_COLUMN, {
        ...{ knex, ...options },
        progress: ({ waitingFor }: ProgressSnapshot) => {
          if (!/Too many connections/.test(waitingFor ?? '')) return;
          waited.push(waitingFor!);
          full = false;
        },
      });
      expect(waited).not.to.deep.equal([]);
      expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(oldTable!));
      await expectNoLeaks(test);
    }

    it('the swap waits for the connection that it takes', async () => {
      const knex = test.makeKnex({}, proxy.address);
      // That of the RENAME is opened right behind it.
      const run = (): void => {
        full = true;
      };
      const begun = /^SET SESSION wait_timeout = (?!15$|28800$)/;
      const last = intercept(knex, { match: begun, when: 'before', run });
      await expectWaitedFor({ cutOver: { strategy: 'sentry', backoffMs: 10 } }, knex);
      expect(last.happened).to.equal(true);
    });

    it('a connection that is lost is made anew once it lets in again', async () => {
      const knex = test.makeKnex({}, proxy.address);
      let marker = 0;
      intercept(knex, {
        ...{ match: /^UPDATE \S+_lhmc_\S+ SET mark/, when: 'after' },
        run: (id) => {
          marker = id;
        },
      });
      const beforeCutOver = async (): Promise<void> => {
        full = true;
        await test.query(`KILL ${marker}`);
      };
      await expectWaitedFor({ mode: 'binlog', hooks: { beforeCutOver } }, knex);
      expect(marker).to.be.above(0);
    });

    it('a function that tells where to connect, and does not answer, ends the migration and not never', async () => {
      let asked = 0;
      const knex = test.makeKnex({
        acquireConnectionTimeout: 1000,
        connection: () =>
          ++asked > 1
            ? new Promise(() => undefined)
            : Promise.resolve({ ...server.connection, database: test.database }),
      });
      const error = await test.failure(ADD_COLUMN, { knex });
      expect(error.outcome).to.equal('untouched');
      expect(error.message).to.match(/function `connection` of the Knex given did not answer in 1000 ms/);
      await expectNoLeaks(test);
    });
  });
}
