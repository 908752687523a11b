import { expect } from 'chai';
import type { Connection as Client } from 'mysql2/promise';

import { largeHadronMigrate, type LargeHadronError, type MigrationResult } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable, type Options } from '../support/test-table';

/** Far below the minutes that production waits for, and far above the few seconds it takes on a busy machine. */
const SOON_MS = 20_000;

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`a fixture whose table somebody holds on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let holder: Client;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      holder = await test.connect();
    });
    afterEach(() => test.drop());

    /** A transaction that a test has forgotten to end. */
    async function hold(): Promise<void> {
      await holder.query('START TRANSACTION');
      await holder.query('SELECT * FROM emails');
    }

    /** With nothing but the preset, as a user's suite has it. */
    function migrate(options: Options = {}, alter = 'ADD COLUMN x INT'): Promise<MigrationResult> {
      return largeHadronMigrate('emails', { knex: test.knex, mode, preset: 'fixture', ...options }, alter);
    }

    async function failsSoon(options: Options): Promise<LargeHadronError> {
      const started = performance.now();
      const error = await failureOf(migrate(options));
      expect(performance.now() - started).to.be.below(SOON_MS);
      expect(error.message).to.match(new RegExp(`In the way: .*connection ${holder.threadId} `));
      return error;
    }

    // Only triggers need the table's lock by then.
    if (mode === 'triggers')
      it('from before: it fails within seconds and names the connection', async () => {
        await hold();
        const error = await failsSoon({});
        expect(error).to.include({ code: 'LHM_LOCK_TIMEOUT', phase: 'capture' });
        expect(error.leftovers).to.deep.equal([]);
        await holder.query('ROLLBACK');
        await migrate();
        await expectNoLeaks(test);
      });

    const strategies =
      flavor === 'mysql' ? (['rename-under-lock', 'sentry'] as const) : (['sentry'] as const);
    for (const strategy of strategies) {
      it(`from before the swap by ${strategy}: the same, and the next run removes what is left`, async () => {
        const error = await failsSoon({ cutOver: { strategy }, hooks: { beforeCutOver: hold } });
        expect(error).to.include({ code: 'LHM_CUT_OVER_BLOCKED', outcome: 'rolled-back' });
        // The triggers cannot go while the table is held.
        if (mode === 'triggers') expect(error.leftovers.map(({ kind }) => kind)).to.include('trigger');
        await holder.query('ROLLBACK');
        await migrate();
        await expectNoLeaks(test);
      });
    }

    itOnce(
      'by an old read view: waited for where it is of the same database, and not where it is of another',
      async () => {
        const elsewhere = await test.connect({ database: 'mysql' });
        await test.query('CREATE TABLE others (id INT PRIMARY KEY)');
        const views: Options = { cutOver: { oldReadViews: 'wait' } };
        await elsewhere.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
        await migrate(views, 'ADD COLUMN y INT');
        await elsewhere.query('ROLLBACK');

        await holder.query('START TRANSACTION');
        await holder.query('SELECT * FROM others');
        const error = await failsSoon(views);
        expect(error).to.include({ code: 'LHM_CUT_OVER_BLOCKED', outcome: 'rolled-back' });
        expect(error.leftovers).to.deep.equal([]);
        await holder.query('ROLLBACK');
      },
    );

    itOnce('with more patience asked for, it waits', async () => {
      await hold();
      const migrating = migrate({ giveUpAfterMs: 30_000 });
      const early = await Promise.race([
        migrating.then(() => 'done'),
        test.query('DO SLEEP(4)').then(() => 'waiting'),
      ]);
      expect(early).to.equal('waiting');
      await holder.query('COMMIT');
      await migrating;
      await expectNoLeaks(test);
    });
  });
}
