import { expect } from 'chai';
import type { Knex } from 'knex';

import type { LargeHadronError } from '../../lib';
import { createAccount, NEEDED } from '../support/account';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTruthfulLeftovers, expectWritable, withoutCounter } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type Flavor, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** How a server is made read-only, and whether the migration's account could write all the same. */
interface Switch {
  readonly what: string;
  readonly only?: Flavor;
  readonly variable: 'read_only' | 'super_read_only';
  readonly privileged: boolean;
}

const SWITCHES: readonly Switch[] = [
  { what: 'read_only', variable: 'read_only', privileged: false },
  { what: 'read_only, and the account could go on', variable: 'read_only', privileged: true },
  { what: 'super_read_only', only: 'mysql', variable: 'super_read_only', privileged: true },
];

const PLACES: readonly (readonly [
  where: string,
  at: RegExp | 'beforeRowCopy' | 'afterRowCopy' | 'beforeCutOver' | 'afterCutOver',
  skip?: number,
])[] = [
  ['before rows are copied', 'beforeRowCopy'],
  ['between two chunks', /^SELECT IS_USED_LOCK/, 3],
  ['in a chunk', /^INSERT INTO \S+_lhmn`(?!.*FALSE)/, 1],
  ['after the copy', 'afterRowCopy'],
  ['in the verification', /^SELECT hadron_rows/, 1],
  ['before the cut-over', 'beforeCutOver'],
  ['before the lock of the cut-over', /^LOCK TABLES .*_lhmn/],
  ['while the lock is held', /^RENAME TABLE/],
  ['after the cut-over', 'afterCutOver'],
];

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`a server that becomes read-only on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      await test.query('SET GLOBAL log_bin_trust_function_creators = 1');
      was = { definition: await test.definition(), rows: await test.rows() };
    });

    afterEach(async () => {
      await writable();
      await test.drop();
    });

    const writable = (): Promise<unknown> => test.query('SET GLOBAL read_only = 0');

    async function knexFor({ privileged }: Switch): Promise<Knex> {
      return privileged ? test.makeKnex() : (await createAccount(test, NEEDED, ['PROCESS'])).knex;
    }

    /** Does it at the place; while tables are locked it has to wait for them. */
    function switchAt(
      knex: Knex,
      [, at, skip = 0]: (typeof PLACES)[number],
      { variable }: Switch,
    ): { hooks: NonNullable<Options['hooks']>; reached: () => boolean } {
      const state = { happened: false };
      const set = async (): Promise<void> => {
        state.happened = true;
        const admin = await test.connect();
        const done = { now: false };
        const setting = admin.query(`SET GLOBAL ${variable} = 1`).finally(() => (done.now = true));
        setting.catch(() => undefined);
        await until('the switch', async () => {
          const rows = await test.query<{ Id: number; State: string | null }>('SHOW PROCESSLIST');
          const mine = rows.find(({ Id }) => Id === admin.threadId);
          return done.now || /^Waiting for/.test(mine?.State ?? '') ? true : undefined;
        });
      };
      if (typeof at === 'string') return { hooks: { [at]: set }, reached: () => state.happened };
      intercept(knex, { match: at, when: 'before', skip, run: set });
      return { hooks: {}, reached: () => state.happened };
    }

    for (const kind of SWITCHES) {
      if (kind.only !== undefined && kind.only !== flavor) continue;
      for (const place of every(3, PLACES)) {
        const strategies = /lock/.test(place[0])
          ? atomicStrategiesOf(flavor)
          : atomicStrategiesOf(flavor).slice(0, 1);
        for (const strategy of strategies) {
          const where = `${kind.what}, ${place[0]}, with ${strategy}`;

          it(`${where}, for a moment: waited for`, async () => {
            const knex = await knexFor(kind);
            const { hooks, reached } = switchAt(knex, place, kind);
            let back: Promise<unknown> | undefined;
            const result = await test.migrate(ADD_COLUMN, {
              ...{ knex, chunk: { rows: 7 }, verify: { rows: 7 }, hooks },
              ...{ cutOver: { strategy, backoffMs: 10, backoffMaxMs: 20 }, reconnectMs: 60_000 },
              progress: ({ waitingFor }) => {
                if (/read-only/.test(waitingFor ?? '')) back ??= writable();
              },
            });
            await back;
            expect(reached()).to.equal(true);
            expect(result.rowsCopied).to.equal(was.rows.length);
            expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
            await writable();
            await expectNoLeaks(test);
            await expectWritable(test);
          });

          it(`${where}, for good: nothing is claimed that is not so`, async () => {
            const knex = await knexFor(kind);
            const { hooks, reached } = switchAt(knex, place, kind);
            const error = await test
              .migrate(ADD_COLUMN, {
                ...{ knex, chunk: { rows: 7 }, verify: { rows: 7 }, hooks },
                ...{ cutOver: { strategy, backoffMs: 10, backoffMaxMs: 20 }, reconnectMs: 200 },
              })
              .then(
                () => null,
                (reason: unknown) => reason as LargeHadronError,
              );
            expect(reached()).to.equal(true);
            await writable();
            const swapped = error === null || error.outcome === 'swapped';
            // With the tables locked, the switch has to wait for the swap.
            if (error !== null) {
              expect(error, error.message).to.include({ code: 'LHM_READ_ONLY' });
              expect(error.outcome).to.equal(swapped ? 'swapped' : 'rolled-back');
            }
            if (swapped) expect(await test.definition()).to.contain('`extra`');
            else expect(withoutCounter(await test.definition())).to.equal(withoutCounter(was.definition));
            expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
            await expectWritable(test);
            if (error === null) await expectNoLeaks(test);
            else await expectTruthfulLeftovers(test, error);
            await expectWritable(test);
          });
        }
      }
    }
  });
}
