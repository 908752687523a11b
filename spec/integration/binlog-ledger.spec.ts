import { randomInt } from 'node:crypto';
import { expect } from 'chai';
import { expectLedgerKept } from '../support/killed-ledger-run';
import { ledgerRun } from '../support/ledger-run';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { strategiesOf } from '../support/strategies';
import { describeReport, isExact } from '../support/workload';

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
          await expectLedgerKept(server, { mode: 'binlog', strategy, among: OWN_CONNECTIONS });
        });
      }
    }
  });
}

/** Beside those of trigger mode one that reads the log, one that writes marks and one that writes keys. */
const OWN_CONNECTIONS = 6;
