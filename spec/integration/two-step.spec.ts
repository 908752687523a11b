import { expect } from 'chai';

import type { LargeHadronOptions } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const MODES: readonly NonNullable<LargeHadronOptions['mode']>[] = ['triggers', 'binlog'];
const CASES = availableFlavors().flatMap((flavor) => MODES.map((mode) => ({ flavor, mode })));

for (const { flavor, mode } of CASES) {
  describe(`a swap in two steps on ${flavor}, ${mode}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(() => test.drop());

    it('swaps, takes the last changes and the counter over, and leaves nothing', async () => {
      await test.query('DELETE FROM emails WHERE id = 30');
      const hooks = {
        beforeCutOver: () => test.query("UPDATE emails SET note = 'late' WHERE id = 3").then(() => undefined),
      };
      const result = await test.migrate(ADD_COLUMN, { mode, cutOver: { strategy: 'two-step' }, hooks });
      expect(result.cutOver).to.include({ strategy: 'two-step', attempts: 1 });
      expect(await test.definition()).to.match(/AUTO_INCREMENT=31\b/);
      expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(result.oldTable!));
      expect((await test.rows())[2]).to.include({ note: 'late' });
      await expectNoLeaks(test);
      await expectWritable(test);
    });

    it('statements that wait for the table, and those that come in between, get error 1146 or are done on the new one', async () => {
      const ends: (number | 'done')[] = [];
      const writers = await Promise.all(Array.from({ length: 4 }, () => test.connect()));
      const write = (i: number): Promise<unknown> =>
        writers[i]!.query('UPDATE emails SET size = size + 1 WHERE id = 7').then(
          () => ends.push('done'),
          (error: unknown) => ends.push((error as { errno: number }).errno),
        );
      const writes: Promise<unknown>[] = [];
      const waiting = async (): Promise<void> => {
        writes.push(write(0), write(1), write(2));
        await until('the writers to wait', async () => {
          const list = await test.query<{ Info: string | null; State: string | null }>('SHOW PROCESSLIST');
          const stuck = list.filter(
            (row) => /^UPDATE/.test(row.Info ?? '') && /metadata/.test(row.State ?? ''),
          );
          return stuck.length === 3 ? true : undefined;
        });
      };
      const between = async (): Promise<void> => {
        writes.push(write(3));
        await writes.at(-1);
        expect(ends).to.include(1146);
      };
      intercept(test.knex, { match: /^ALTER TABLE \S+emails` RENAME/, when: 'before', run: waiting });
      intercept(test.knex, { match: /^ALTER TABLE \S+_lhmn` RENAME/, when: 'before', run: between });
      const { oldTable } = await test.migrate(ADD_COLUMN, { mode, cutOver: { strategy: 'two-step' } });
      await Promise.all(writes);
      expect(ends).to.have.length(4);
      expect(
        ends.every((end) => end === 'done' || end === 1146),
        String(ends),
      ).to.equal(true);
      const done = ends.filter((end) => end === 'done').length;
      expect((await test.rows())[6]).to.include({ size: 70 + done });
      expect((await test.rows(oldTable!))[6]).to.include({ size: 70 });
      await expectNoLeaks(test);
    });
  });
}
