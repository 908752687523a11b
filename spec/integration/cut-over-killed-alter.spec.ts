import { expect } from 'chai';
import type { Knex } from 'knex';

import { LargeHadronEvents } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** How often it is tried to meet the ALTER at its end, which succeeds nearly every time. */
const MOST_TRIES = 20;

/** Sends KILL QUERY again and again for as long as the statement runs. */
async function killThroughout(test: TestTable, knex: Knex, match: RegExp): Promise<void> {
  const client = await test.connect();
  const state = { over: false };
  let killing: Promise<void> = Promise.resolve();
  const kill = async (id: number): Promise<void> => {
    while (!state.over) await client.query(`KILL QUERY ${id}`);
  };
  const after = async (): Promise<void> => {
    state.over = true;
    await killing;
  };
  intercept(knex, { match, when: 'after', run: after });
  intercept(knex, { match, when: 'before', run: (id) => void (killing = kill(id)) });
}

/**
 * An ALTER of a locked table that is killed when it is nearly done is told to be done on MariaDB, but its session can use the
 * table no more before it unlocks it.
 */
for (const { flavor, mode, on } of serversAndModes().filter((one) => one.flavor === 'mariadb')) {
  describe(`an ALTER under the lock, killed at its end, on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    for (const strategy of ['sentry', 'rename-then-replay', 'two-step'] as const) {
      it(`the attempt is made again (${strategy})`, async () => {
        const reasons: string[] = [];
        const isMet = (): boolean => reasons.some((reason) => reason.includes('was not locked'));
        for (let tries = 0; tries < MOST_TRIES && !isMet(); tries++) {
          const test = await TestTable.create(server);
          const knex = test.makeKnex();
          // The new table never has the row, so that its counter is set under the lock.
          const beforeCutOver = async (): Promise<void> => {
            const client = await test.connect();
            await client.query('START TRANSACTION');
            await client.query("INSERT INTO emails (id, address) VALUES (1000, 'passing')");
            await client.query('DELETE FROM emails WHERE id = 1000');
            await client.query('COMMIT');
          };
          await killThroughout(test, knex, /^ALTER TABLE .*_lhmn. AUTO_INCREMENT/);
          const events = new LargeHadronEvents();
          events.on('attemptPostponed', ({ reason }) => reasons.push(reason));
          await test.migrate(ADD_COLUMN, {
            ...{ knex, events, idWindow: 0, hooks: { beforeCutOver } },
            cutOver: { strategy, backoffMs: 1 },
          });
          await expectNoLeaks(test);
          expect(await test.definition()).to.contain('AUTO_INCREMENT=1001');
          await test.drop();
        }
        expect(isMet(), reasons.join('\n')).to.equal(true);
      });
    }
  });
}
