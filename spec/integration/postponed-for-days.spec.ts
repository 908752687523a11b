import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { pace } from '../../lib/migration/postpone';
import { expectNoLeaks } from '../support/leak-guard';
import { Operated } from '../support/operated';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

/** Questions, two a second in earnest. `LHM_POSTPONED=4000` for more than half an hour of them. */
const ASKED = 4 * Math.ceil(Number(process.env['LHM_POSTPONED'] ?? 1000) / 4);

/** Most bytes that half of the questions may leave behind. */
const BYTES = 300_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

for (const flavor of availableFlavors()) {
  for (const mode of ['triggers', 'binlog'] as const) {
    describe(`a cut-over that is postponed for long on ${flavor}, with ${mode}`, function () {
      this.timeout(120_000);
      const was = { ...pace };
      let server: RunningServer;
      let test: TestTable;

      before(async () => (server = await startServer(flavor)));
      after(() => server.stop());
      beforeEach(async () => (test = await TestTable.create(server)));
      afterEach(async () => {
        Object.assign(pace, was);
        await test.drop();
      });

      it('asks thousands of times, applies what is written, and keeps none of it', async () => {
        Object.assign(pace, { askMs: 1, hearMs: 1, restMs: 1 });
        let asked = 0;
        const heaps: number[] = [];
        const journals: number[] = [];
        const lastRows = async (table: string): Promise<number> =>
          Number((await test.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);
        const run = await Operated.begin(test, ADD_COLUMN, {
          mode,
          cutOver: {
            postponeUntil: async ({ ghostTable }) => {
              asked++;
              if (asked % 4 === 0) await test.query('UPDATE emails SET size = size + 1 WHERE id <= 20');
              if (asked % (ASKED / 4) === 0) {
                const journal = (await test.tables()).find((name) => name.includes('_lhmj_'));
                journals.push(await lastRows(journal ?? ghostTable));
                heaps.push(heap());
              }
              return asked >= ASKED;
            },
          },
        });
        // What was seen must not be what grows.
        (run.seen as unknown[]).push = () => 0;
        const first = await run.until('the postponement', ({ postponed }) => postponed !== null);
        const since = first.postponed!.since;
        const later = await run.until(
          'a long time',
          ({ postponed }) => postponed !== null && asked > ASKED / 2,
        );
        expect(later.postponed).to.deep.equal({ by: 'cutOver.postponeUntil to return true', since });
        await run.until('the swap', ({ phase }) => phase === 'cut-over');
        // Whoever releases it by file or by hand waits for one look at the most.
        expect(Math.max(was.fileMs, was.hearMs) + was.restMs).to.be.below(1000);
        const result = await run.result();
        expect(result.changesApplied).to.be.at.least(ASKED / 4);
        expect(result.verified.notCompared).to.equal(0);
        expect(Math.max(...journals)).to.be.below(1000);
        expect(heaps.at(-1)! - heaps[1]!).to.be.below(BYTES);
        const [row] = await test.query<{ size: number }>('SELECT size FROM emails WHERE id = 1');
        expect(row?.size).to.equal(10 + ASKED / 4);
        expect(without(await test.rows(), 'extra')).to.have.length(30);
        await expectNoLeaks(test);
      });
    });
  }
}
