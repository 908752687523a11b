import { expect } from 'chai';

import type { MigrationResult } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { intercept } from '../support/test-table-statements';

for (const flavor of availableFlavors()) {
  describe(`two migrations that create their triggers at once on ${flavor}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      await test.query('CREATE TABLE letters LIKE emails');
      await test.query('INSERT INTO letters SELECT * FROM emails');
    });
    afterEach(() => test.drop());

    /** Runs in the first one, just before it creates a trigger. */
    async function first(run: () => Promise<void>): Promise<MigrationResult> {
      const done = intercept(test.knex, { match: /^CREATE .*TRIGGER/, when: 'before', run });
      const result = await test.migrate('ADD COLUMN x INT');
      expect(done.happened).to.equal(true);
      return result;
    }

    const second = (): Promise<MigrationResult> =>
      test.migrate('ADD COLUMN x INT', { knex: test.makeKnex() }, 'letters');

    if (flavor === 'mysql') {
      it('do not wait for each other', async () => {
        await first(() => second().then(() => undefined));
        await expectNoLeaks(test);
      });
      return;
    }

    it('take turns, and whoever waits holds nothing', async () => {
      let waiting: Promise<MigrationResult> | undefined;
      await first(async () => {
        waiting = second();
        await until('the second to wait', async () =>
          (await migrationConnections(test)).find(({ Info }) => /GET_LOCK\('lhm:triggers'/.test(Info ?? '')),
        );
        await test.query("UPDATE letters SET note = 'not held up' WHERE id = 1");
      });
      const { oldTable } = await waiting!;
      expect((await test.rows('letters'))[0]).to.include({ note: 'not held up' });
      expect(await test.rows(oldTable!)).to.have.length(30);
      await expectNoLeaks(test);
    });

    it('do not wait for ever', async () => {
      const holder = await test.connect();
      await holder.query("SELECT GET_LOCK('lhm:triggers', 0)");
      await test.migrate('ADD COLUMN x INT');
      await expectNoLeaks(test);
    });
  });
}
