import { randomInt } from 'node:crypto';
import { expect } from 'chai';
import { createHarasser } from '../support/harasser';
import { ledgerRun } from '../support/ledger-run';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { strategiesOf } from '../support/strategies';
import { describeReport, isExact, keepsEveryWrite } from '../support/workload';

/** Runs of each kind; a longer proof takes more. */
const RUNS = Number(process.env['LHM_LEDGER_RUNS'] ?? 1);

for (const flavor of availableFlavors()) {
  describe(`the ledger through a migration by the binary log on ${flavor}`, function () {
    this.timeout(180_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    for (const strategy of strategiesOf(flavor)) {
      for (const verify of [true]) {
        for (let run = 1; run <= RUNS; run++) {
          it(`${strategy}, verify ${verify}: nothing lost, extra or wrong (run ${run})`, async () => {
            const { report, result, leftovers } = await ledgerRun(server, {
              seed: randomInt(1_000_000_000),
              workload: { missingTable: strategy === 'two-step' ? 'expected' : 'unexpected' },
              migration: { mode: 'binlog', verify, cutOver: { strategy } },
            });
            const text = describeReport(report);
            if (result instanceof Error) throw result;
            expect(isExact(report), text).to.equal(true);
            expect(result.changesApplied, text).to.be.above(0);
            expect(result.cutOver.strategy).to.equal(strategy);
            expect(leftovers).to.deep.equal([]);
          });
        }
      }

      for (let run = 1; run <= RUNS; run++) {
        it(`${strategy}, its own connections killed again and again: nothing lost, extra or wrong (run ${run})`, async () => {
          const harasser = createHarasser(server.connection, 100, Math.random, OWN_CONNECTIONS);
          const { report, result, leftovers } = await ledgerRun(server, {
            seed: randomInt(1_000_000_000),
            workload: { missingTable: strategy === 'two-step' ? 'expected' : 'unexpected' },
            wrap: (knex) => harasser.watch(knex),
            migration: {
              ...{ mode: 'binlog', cutOver: { strategy } },
              ...{ reconnectMs: 60_000, chunk: { rows: 100 }, verify: { rows: 200 } },
              // Before there is something to carry on with, a loss ends the migration.
              progress: ({ phase }) => {
                if (phase === 'copy') harasser.start();
              },
            },
          });
          const kills = await harasser.stop();
          const text = describeReport(report);
          if (result instanceof Error) throw result;
          expect(kills, text).to.be.above(0);
          // With a swap that breaks off there, the new table can be read for a moment, and not written to.
          const kept = strategy === 'rename-then-replay' ? keepsEveryWrite(report) : isExact(report);
          expect(kept, text).to.equal(true);
          expect(leftovers).to.deep.equal([]);
        });
      }
    }
  });
}

/** Beside those of trigger mode one that reads the log, one that writes marks and one that writes keys. */
const OWN_CONNECTIONS = 6;
