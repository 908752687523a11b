import { expect } from 'chai';
import { randomInt } from 'node:crypto';
import type { AlterFunction } from '../../lib';
import { expectLedgerKept } from '../support/killed-ledger-run';
import { ledgerRun } from '../support/ledger-run';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { strategiesOf } from '../support/strategies';
import { describeReport, isExact, type Isolation } from '../support/workload';

/** Runs of each kind; `LHM_LEDGER_RUNS=20` is the release gate. */
const RUNS = Number(process.env['LHM_LEDGER_RUNS'] ?? 1);

const ISOLATIONS: readonly Isolation[] = ['READ COMMITTED', 'REPEATABLE READ'];

/** What rows may go through on their way: as they are, converted, or given a value. */
const ALTERS: readonly (readonly [string, AlterFunction])[] = [
  [
    'a column and an index',
    (t) => {
      t.string('hashed_address', 64);
      t.index(['hashed_address']);
    },
  ],
  [
    'converted columns',
    (t) => {
      t.string('name', 200).notNullable().alter();
      t.text('note', 'mediumtext').alter();
    },
  ],
  [
    'a column with a value of its own',
    (t, ctx) => {
      t.string('upper_name', 200);
      ctx.values['upper_name'] = 'UPPER(name)';
    },
  ],
];

for (const flavor of availableFlavors()) {
  describe(`the ledger through a migration on ${flavor}`, function () {
    this.timeout(180_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    let count = 0;
    for (const strategy of strategiesOf(flavor)) {
      // Between its two renames nothing bears the table's name.
      const missingTable = strategy === 'two-step' ? ('expected' as const) : ('unexpected' as const);

      for (const isolation of ISOLATIONS) {
        for (let run = 1; run <= RUNS; run++) {
          const [name, alter] = ALTERS[count++ % ALTERS.length]!;
          it(`${strategy}, writers in ${isolation}, ${name}: nothing lost, extra or wrong (run ${run})`, async () => {
            const seed = randomInt(1_000_000_000);
            const { report, result, leftovers } = await ledgerRun(server, {
              ...{ seed, alter, workload: { isolation, missingTable }, migration: { cutOver: { strategy } } },
            });
            const text = describeReport(report);
            if (result instanceof Error) throw result;
            expect(isExact(report), text).to.equal(true);
            expect(report.reads.paired, text).to.be.above(0);
            expect(result.changesApplied, text).to.be.above(0);
            expect(result.verified.notCompared).to.equal(0);
            expect(result.verified.rows).to.be.at.least(8000);
            expect(result.cutOver.strategy).to.equal(strategy);
            expect(result.cutOver.oldReadViews).to.equal(0);
            expect(leftovers).to.deep.equal([]);
          });
        }
      }

      for (let run = 1; run <= RUNS; run++) {
        it(`${strategy}, its own connections killed again and again: nothing lost, extra or wrong (run ${run})`, async () => {
          const result = await expectLedgerKept(server, { mode: 'triggers', strategy });
          expect(result.verified.notCompared).to.equal(0);
        });
      }
    }
  });
}
