import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { until, untilWaiting } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const FEW = 'SET GLOBAL max_write_lock_count = 1';
const MANY = 'SET GLOBAL max_write_lock_count = DEFAULT';

for (const { flavor, mode, on } of serversAndModes()) {
  // Those that rely on a request for the whole table being served before any writer's.
  const strategies = flavor === 'mysql' ? (['sentry'] as const) : (['sentry', 'rename-then-replay'] as const);

  describe(`a server that lets writers go first on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(async () => {
      await test.query(MANY);
      await test.drop();
    });

    for (const strategy of strategies) {
      it(`is refused for ${strategy}`, async () => {
        await test.query(FEW);
        const error = await test.failure(ADD_COLUMN, { cutOver: { strategy } });
        expect(error).to.include({ code: 'LHM_LIMIT_TOO_SMALL', outcome: 'untouched' });
        expect(error.hint).to.include('SET GLOBAL max_write_lock_count');
        await expectNoLeaks(test);
      });

      it(`since a moment ago: ${strategy} waits, and a writer that queued behind the lock loses nothing`, async () => {
        const [holder, writer] = [await test.connect(), await test.connect()];
        let written: Promise<unknown> = Promise.resolve();
        const queue = async (): Promise<void> => {
          await untilWaiting(test, /^LOCK TABLES/);
          written = writer.query("UPDATE emails SET note = 'queued' WHERE id = 5");
          written.catch(() => undefined);
          await until('the writer to wait', async () => {
            const list = await test.query<{ Id: number; State: string | null }>('SHOW PROCESSLIST');
            const waits = list.some(
              ({ Id, State }) => Id === writer.threadId && /metadata/.test(State ?? ''),
            );
            return waits ? true : undefined;
          });
          await test.query(FEW);
          await holder.query('COMMIT');
        };
        let queued: Promise<void> = Promise.resolve();
        intercept(test.knex, {
          match: /^LOCK TABLES .*_lhmn/,
          when: 'before',
          run: async () => {
            await holder.query('BEGIN');
            await holder.query("UPDATE emails SET note = 'held' WHERE id = 3");
            queued = queue();
          },
        });
        const reasons: string[] = [];
        const options: Options = {
          cutOver: {
            strategy,
            lockTimeoutMs: 10_000,
            drainBudgetMs: 10_000,
            backoffMs: 10,
            oldReadViews: 'ignore',
          },
          progress: ({ waitingFor }) => {
            if (!/max_write_lock_count/.test(waitingFor ?? '')) return;
            if (reasons.push(waitingFor!) === 2) test.query(MANY).catch(() => undefined);
          },
        };
        const result = await test.migrate(ADD_COLUMN, options);
        await queued;
        await written;
        expect(result.cutOver.attempts).to.be.above(1);
        const rows = without(await test.rows(), 'extra');
        expect([rows[2]?.['note'], rows[4]?.['note']]).to.deep.equal(['held', 'queued']);
        await expectNoLeaks(test);
      });
    }

    if (flavor === 'mysql')
      it('is fit for rename-under-lock, which does not rely on it', async () => {
        await test.query(FEW);
        const { cutOver } = await test.migrate(ADD_COLUMN);
        expect(cutOver.strategy).to.equal('rename-under-lock');
        await expectNoLeaks(test);
      });
  });
}
