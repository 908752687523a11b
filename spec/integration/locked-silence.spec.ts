import { expect } from 'chai';

import type { Connection } from 'mysql2/promise';
import { expectNoLeaks } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const LOCKED = /^LOCK TABLES .*_lhmn/;
const LOCKED_FOR_TRIGGERS = /^LOCK TABLES (?!.*_lhmn)/;

/** Whoever has the table locked falls silent: its machine stands still, or the way to it is forgotten. */
for (const flavor of availableFlavors()) {
  describe(`a table that is locked by somebody who falls silent, on ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let client: Connection;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      client = await test.connect();
    });
    afterEach(() => test.drop());

    /** Nothing is asked of the session that has the table until the application has got it. */
    const silent = (match: RegExp) => {
      const run = async (): Promise<void> => {
        await client.query("UPDATE emails SET note = 'let in' WHERE id = 3");
      };
      return intercept(test.knex, { match, when: 'after', run });
    };

    async function expectLetIn(): Promise<void> {
      const [row] = await test.query<{ note: string }>('SELECT note FROM emails WHERE id = 3');
      expect(row?.note).to.equal('let in');
      await expectNoLeaks(test);
      await expectWritable(test);
    }

    for (const strategy of ['auto', 'rename-then-replay'] as const)
      it(`is let go of, and the swap is tried again (${strategy})`, async () => {
        const locked = silent(LOCKED);
        const { oldTable } = await test.migrate(ADD_COLUMN, { cutOver: { strategy } });
        expect(locked.happened).to.equal(true);
        expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(oldTable!));
        await expectLetIn();
      });

    it('is let go of while it gets its triggers, and nothing is left', async () => {
      const locked = silent(LOCKED_FOR_TRIGGERS);
      const error = await test.failure(ADD_COLUMN);
      expect(locked.happened).to.equal(true);
      expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
      expect(error.leftovers).to.deep.equal([]);
      await expectLetIn();
    });
  });
}
