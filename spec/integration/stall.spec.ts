import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { strategiesOf } from '../support/strategies';
import { TestTable, without } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { aroundQueries } from '../support/test-table-statements';

const LOCK_REQUEST = /^LOCK TABLES .*emails`/;

/** Requests for the lock that are let fail before the one who is in the way goes. */
const IN_VAIN = 2;

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`a transaction that is open on the table on ${on}`, function () {
    this.timeout(120_000);
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

    for (const strategy of every(4, strategiesOf(flavor))) {
      it(`holds the swap up for as long as it is open, but never the application for long (${strategy})`, async () => {
        const knex = test.makeKnex();
        const waits: { ms: number; granted: boolean; from: number }[] = [];
        let armed = false;
        let released: Promise<unknown> | undefined;
        let postponed = 0;
        let reason: string | null = null;
        const release = (): void => void (released ??= holder.query('COMMIT'));
        aroundQueries(knex, (query) => (sql, values, callback) => {
          if (!armed || !LOCK_REQUEST.test(sql)) return query(sql, values, callback);
          const from = performance.now();
          return query(sql, values, (error, ...rest) => {
            waits.push({ ms: performance.now() - from, granted: error === null, from });
            if (waits.length >= IN_VAIN) release();
            callback(error, ...rest);
          });
        });
        const result = await test.migrate(ADD_COLUMN, {
          knex,
          cutOver: { strategy, oldReadViews: 'ignore' },
          hooks: {
            beforeCutOver: async () => {
              await holder.query('START TRANSACTION');
              await holder.query("UPDATE emails SET note = 'held' WHERE id = 3");
              armed = true;
            },
          },
          progress: ({ phase, waitingFor }) => {
            if (phase !== 'cut-over' || waitingFor === reason) return;
            reason = waitingFor;
            if (waitingFor === null) return;
            postponed += 1;
            // Where the server tells who holds the table, the lock is not asked for at all while it does.
            if (/has held the table/.test(waitingFor)) release();
          },
        });
        await released;
        expect(released).not.to.equal(undefined);
        expect(result.cutOver.attempts).to.equal(postponed + 1);
        const inVain = waits.filter(({ granted }) => !granted);
        expect(inVain.length).to.be.within(1, IN_VAIN);
        // Behind a request that waits every other query waits: for the lock timeout and not longer, and then not again
        // for nine times as long.
        for (const { ms } of inVain) expect(ms).to.be.within(900, 2000);
        for (const [i, { from, ms }] of waits.entries()) {
          const next = waits.slice(i + 1).find((later) => later.from > from + ms);
          if (inVain.includes(waits[i]!) && next !== undefined)
            expect(next.from - from - ms).to.be.above(5 * ms);
        }
        const rows = await test.rows();
        expect(rows[2]).to.include({ note: 'held' });
        expect(without(rows, 'extra')).to.deep.equal(await test.rows(result.oldTable!));
        await expectNoLeaks(test);
      });
    }
  });
}
