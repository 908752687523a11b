import { expect } from 'chai';

import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { sabotage } from '../support/saboteur';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

/** MariaDB makes its report on the spot: nobody keeps it from being new. */
for (const flavor of availableFlavors().filter((one) => one === 'mysql')) {
  describe(`a list of transactions that others keep from being renewed, on ${flavor}`, function () {
    let server: RunningServer;
    let test: TestTable;
    let heldMs: number[];

    before(async () => {
      server = await startServer(flavor);
    });

    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      heldMs = [];
      let since: number | undefined;
      // As if somebody had read the list within the last 100 ms, again and again: it never shows the query itself.
      sabotage(test.knex, (sql) => {
        if (/^LOCK TABLES .*_lhmn/.test(sql)) since = performance.now();
        if (since === undefined) return sql;
        if (/^(UNLOCK TABLES|RENAME TABLE)/.test(sql)) {
          heldMs.push(performance.now() - since);
          since = undefined;
        }
        return sql.replace('trx_query AS query', 'NULL AS query');
      });
    });

    afterEach(() => test.drop());

    const cutOver = { attempts: 1, drainBudgetMs: 1000 };

    it('is not waited for beyond the time that the lock may be held', async () => {
      const was = { definition: await test.definition(), rows: await test.rows() };
      const error = await test.failure(ADD_COLUMN, { cutOver: { ...cutOver, oldReadViews: 'wait' } });
      expect(error.message).to.match(
        /cannot be seen whether .* older read view are open: .*INNODB_TRX so often/,
      );
      await expectTakenBack(test, error, was, { code: 'LHM_CUT_OVER_BLOCKED', phase: 'cut-over' });
      expect(heldMs).to.have.length(1);
      expect(heldMs[0]).to.be.below(3000);
    });

    it('is not waited for where old views are only counted', async () => {
      await test.migrate(ADD_COLUMN, { cutOver: { ...cutOver, oldReadViews: 'ignore' } });
      expect(heldMs).to.have.length(1);
      expect(heldMs[0]).to.be.below(3000);
      await expectNoLeaks(test);
    });
  });
}
