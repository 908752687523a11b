import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { Operated } from '../support/operated';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';

const ROWS = 300;

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`the progress of a migration on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => (test = await TestTable.create(server, { rows: ROWS })));
    afterEach(() => test.drop());

    const begin = (options: Options): Promise<Operated> =>
      Operated.begin(test, ADD_COLUMN, { chunk: { rows: 5, pauseMs: 10 }, ...options });

    /** Of the migration, without that of a count: three of them read the log. */
    const own = mode === 'triggers' ? 2 : 5;

    async function connections(): Promise<number> {
      const list = await test.query<{ Id: number; db: string | null }>('SHOW PROCESSLIST');
      return list.filter(({ Id, db }) => db === test.database && Id !== test.adminId).length;
    }

    it('counts what is left to copy, on a session that is gone before the swap', async () => {
      const atSwap: number[] = [];
      const run = await begin({
        exactRowCount: true,
        hooks: { beforeCutOver: async () => void atSwap.push(await connections()) },
      });
      const first = await run.until('an estimate', ({ rowsEstimated }) => rowsEstimated > 0);
      expect(first.rowsCounted).to.equal(false);
      await run.until('some rows', ({ rowsCopied }) => rowsCopied >= 10);
      run.operator.pause('lunch');
      // It holds like the copy, with its connection there.
      await until('its connection', async () => ((await connections()) === own + 1 ? true : undefined));
      await test.query('DELETE FROM emails WHERE id = 200');
      run.operator.continue();
      const counted = await run.until('the count', ({ rowsCounted }) => rowsCounted);
      expect(counted.phase).to.equal('copy');
      expect(counted.rowsEstimated).to.equal(ROWS - 1);
      expect((await run.result()).rowsCopied).to.equal(ROWS - 1);
      expect(atSwap).to.deep.equal([own]);
      await expectNoLeaks(test);
    });

    it('counts what waits also while the swap is held back, and tells of nothing that waits after it', async () => {
      const run = await begin({ cutOver: { postponeUntil: () => false } });
      await run.until('postponed', ({ phase }) => phase === 'postpone');
      run.operator.pause('lunch');
      await run.until('the hold', ({ throttled }) => throttled === 'lunch');
      await test.query('UPDATE emails SET size = 1 WHERE id <= 7');
      await run.until('what waits', ({ backlog }) => backlog === 7);
      run.operator.continue();
      await run.until('nothing waits', ({ backlog }) => backlog === 0);
      run.operator.pause('lunch');
      await run.until('the hold', ({ throttled }) => throttled === 'lunch');
      await test.query('UPDATE emails SET size = 2 WHERE id <= 7');
      await run.until('what waits again', ({ backlog }) => backlog === 7);
      run.operator.cutOverNow();
      run.operator.continue();
      await run.result();
      expect(run.seen.at(-1)).to.include({ phase: 'clean-up', backlog: 0 });
    });

    it('is none the worse for a count whose connection is lost, or that is stopped', async () => {
      const run = await begin({ exactRowCount: true });
      await run.until('some rows', ({ rowsCopied }) => rowsCopied >= 10);
      const before = await test.query<{ Id: number }>('SHOW PROCESSLIST');
      run.operator.pause('lunch');
      await until('its connection', async () => ((await connections()) === own + 1 ? true : undefined));
      const after = await test.query<{ Id: number; db: string | null }>('SHOW PROCESSLIST');
      const counting = after.find(
        ({ Id, db }) => db === test.database && !before.some((one) => one.Id === Id),
      );
      await test.query(`KILL ${counting!.Id}`);
      run.operator.continue();
      expect((await run.result()).rowsCopied).to.equal(ROWS);
      expect(run.seen.every(({ rowsCounted }) => !rowsCounted)).to.equal(true);
      await expectNoLeaks(test);
    });

    // With the log nothing is waited for at first, and who is waited for at the swap is told by other specs.
    itOnce('names who holds the table while it waits for the lock', async () => {
      const holder = await test.connect();
      await holder.query('START TRANSACTION');
      await holder.query('SELECT * FROM emails WHERE id = 1 FOR UPDATE');
      const run = await begin({ giveUpAfterMs: false });
      const named = await run.until('the name', ({ waitingFor }) => /connection/.test(waitingFor ?? ''));
      expect(named.phase).to.equal('capture');
      expect(named.waitingFor).to.contain(`the lock on '${test.database}.emails'`);
      expect(named.waitingFor).to.contain(`connection ${holder.threadId} (`);
      await holder.query('COMMIT');
      await run.result();
      expect(run.operator.status().waitingFor).to.equal(null);
    });
  });
}
