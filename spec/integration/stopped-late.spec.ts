import { expect } from 'chai';

import { LargeHadronError, LargeHadronEvents } from '../../lib';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectTakenBack, expectTruthfulLeftovers, expectWritable } from '../support/leak-guard-leftovers';
import { Operated } from '../support/operated';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { strategiesOf } from '../support/strategies';
import { TestTable, without } from '../support/test-table';
import { migrationConnections } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** Of `two-step` the second, after which the tables are swapped. */
const RENAMES = /^(?:RENAME TABLE|ALTER TABLE \S+ RENAME TO)/;

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`a migration that is stopped too late on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };
    let stop: (by: 'panic' | 'signal') => void;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
    });
    afterEach(() => test.drop());

    async function begin(options: Parameters<TestTable['migrate']>[1]): Promise<[Operated, string[]]> {
      const events = new LargeHadronEvents();
      const warnings: string[] = [];
      events.on('warning', ({ message }) => warnings.push(message));
      const controller = new AbortController();
      const given = { ...options, events, signal: controller.signal };
      const run: Operated = await Operated.begin(test, ADD_COLUMN, given);
      stop = (by) => (by === 'panic' ? run.operator.panic('enough') : controller.abort());
      return [run, warnings];
    }

    async function expectSwapped(run: Operated): Promise<void> {
      await run.result();
      expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
      expect(await test.definition()).to.contain('`extra`');
      expect(await oldTables(test)).to.have.length(1);
      await expectNoLeaks(test);
      await expectWritable(test);
    }

    for (const strategy of every(2, strategiesOf(flavor)))
      for (const by of every(2, ['panic', 'signal'] as const)) {
        const skip = strategy === 'two-step' ? 1 : 0;
        const late = strategy !== 'rename-then-replay';
        it(`${strategy}, in the instant after the RENAME, by ${by}: ${late ? 'comes to its end' : 'is taken back'}`, async () => {
          const after = intercept(test.knex, {
            ...{ match: RENAMES, when: 'after', skip },
            run: () => stop(by),
          });
          const [run, warnings] = await begin({ cutOver: { strategy } });
          if (late) {
            await expectSwapped(run);
            expect(warnings.join()).to.match(/too late.*goes on to its end/);
          } else {
            const code = by === 'panic' ? 'LHM_PANIC' : 'LHM_INTERRUPTED';
            await expectTakenBack(test, await run.failure(), was, { code });
          }
          expect(after.happened).to.equal(true);
        });
      }

    it('after the swap, with its connections lost as well: comes to its end', async () => {
      const [run, warnings] = await begin({
        reconnectMs: 20_000,
        hooks: {
          afterCutOver: async () => {
            stop('signal');
            for (const { Id } of await migrationConnections(test)) await test.query(`KILL ${Id}`);
          },
        },
      });
      await expectSwapped(run);
      expect(warnings.join()).to.contain('too late');
    });

    for (const by of every(2, ['signal', 'panic'] as const))
      it(`by ${by}, with the connection lost that renamed: says that the tables are swapped, and no more than is true`, async () => {
        intercept(test.knex, {
          ...{ match: RENAMES, when: 'after' },
          run: async (connection) => {
            stop(by);
            await test.query(`KILL ${connection}`);
            throw Object.assign(new Error('lost'), { fatal: true, code: 'PROTOCOL_CONNECTION_LOST' });
          },
        });
        const [run] = await begin({ reconnectMs: 20_000 });
        const end = await run.end;
        if (!(end instanceof LargeHadronError)) {
          await expectSwapped(run);
          return;
        }
        expect(end.outcome).to.equal('swapped');
        expect(end.hint)
          .to.contain('treat the change as done')
          .and.not.match(/as it was|again when it suits/);
        expect(await test.definition()).to.contain('`extra`');
        await expectTruthfulLeftovers(test, end);
      });
  });
}
