import { expect } from 'chai';
import { serversAndModes } from '../support/available-modes';
import { LAYOUTS } from '../support/foreign-keys/layouts';
import { createTwins, expectTwins } from '../support/foreign-keys/twin-tables';
import { writeTwins } from '../support/foreign-keys/twin-writers';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';

const WRITERS = 4;

/** Runs of each kind; more by `LHM_KEYS_RUNS`. */
const RUNS = Number(process.env['LHM_KEYS_RUNS'] ?? 1);

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`writers on tables with foreign keys on ${on}`, function () {
    this.timeout(180_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    for (const [what, tables] of every(3, Object.entries(LAYOUTS))) {
      for (const verify of every(2, [false, true])) {
        it(`${what}${verify ? '' : ', without verification'}: its twin in the end, and no error but the twin's`, async () => {
          for (let run = 1; run <= RUNS; run++) {
            const test = await TestTable.create(server);
            try {
              await createTwins((sql) => test.query(sql), tables);
              const writers = await writeTwins(tables, {
                ...{ writers: WRITERS, seed: run + (verify ? 0 : 1000), connect: () => test.connect() },
              });
              // In small chunks, so that writers come between them.
              const migrating = test.migrate('ADD COLUMN extra INT', {
                ...{ verify, chunk: { rows: 50, pauseMs: 20 }, preset: 'production' },
                cutOver: { drainBudgetMs: 3000 },
              });
              const result = await migrating.catch((error: unknown) => error);
              const seen = await writers.stop();
              if (result instanceof Error) throw result;
              expect(seen.wrong.slice(0, 5), `run ${run}`).to.deep.equal([]);
              expect(seen.committed).to.be.above(20);
              await expectTwins(test, tables);
              for (const old of await oldTables(test)) await test.query(`DROP TABLE ${old}`);
              await expectNoLeaks(test);
            } finally {
              await test.drop();
            }
          }
        });
      }
    }
  });
}
