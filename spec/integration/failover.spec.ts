import { expect } from 'chai';
import type { Knex } from 'knex';

import type { LargeHadronError } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack, expectWritable } from '../support/leak-guard-leftovers';
import { balance, ConnectionProxy } from '../support/proxy/connection-proxy';
import { serversAndModes } from '../support/available-modes';
import { startPrimaryWithReplica, type ReplicatedPair } from '../support/servers';
import { withClient } from '../support/servers/client';
import { atomicStrategiesOf } from '../support/strategies';
import { failureOf, TestTable, without, type Options } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

const SMALL_CHUNKS: Options = { chunk: { rows: 7 }, verify: { rows: 7 } };

/** Told by whichever shows first: that the server takes no writes, or that the next connection leads elsewhere. */
const NOTICED = /^LHM_(NOT_ONE_SERVER|READ_ONLY)$/;

const HOOKS = ['beforeRowCopy', 'afterRowCopy', 'beforeCutOver'] as const;

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`a failover to a replica on ${on}`, function () {
    this.timeout(180_000);
    let pair: ReplicatedPair;
    let test: TestTable;
    let proxy: ConnectionProxy;
    let moved: boolean;
    let there: TestTable | undefined;
    let knex: Knex;
    let was: { definition: string; rows: Record<string, unknown>[] };
    const [stop, start] =
      flavor === 'mysql' ? ['STOP REPLICA', 'START REPLICA'] : ['STOP SLAVE', 'START SLAVE'];

    before(async () => (pair = await startPrimaryWithReplica(flavor, { mode })));
    after(() => pair.stop());

    beforeEach(async () => {
      moved = false;
      test = await TestTable.create(pair.primary);
      was = { definition: await test.definition(), rows: await test.rows() };
      proxy = await ConnectionProxy.start(balance(() => (moved ? pair.replica : pair.primary).connection));
      knex = test.makeKnex({ pool: { min: 0, max: 1 } }, proxy.address);
    });

    afterEach(async () => {
      await test.query('SET GLOBAL read_only = 0');
      await proxy.stop();
      if (there !== undefined) {
        // The two are not the same any more, and each goes by itself.
        await test.query('SET SESSION sql_log_bin = 0');
        await there.drop();
        there = undefined;
      }
      await test.drop();
      await onReplica([start]);
      await pair.caughtUp();
    });

    async function onReplica(sql: readonly string[]): Promise<void> {
      await withClient(pair.replica.connection, async (client) => {
        for (const statement of sql) await client.query(statement);
      });
    }

    /** As a failover does it: all that the primary has is there, the primary takes no more, the replica does. */
    async function failOver(readOnly: boolean): Promise<void> {
      // First, so that no mark comes in between.
      if (readOnly) await test.query('SET GLOBAL read_only = 1');
      await pair.caughtUp();
      await onReplica([stop, 'SET GLOBAL read_only = 0']);
      moved = true;
    }

    for (const strategy of every(2, atomicStrategiesOf(flavor))) {
      for (const hook of HOOKS) {
        it(`new connections lead there in ${hook}, ours stay: noticed before the swap by ${strategy}, and taken back`, async () => {
          const error = await test.failure(ADD_COLUMN, {
            ...{ ...SMALL_CHUNKS, knex, cutOver: { strategy } },
            hooks: { [hook]: () => failOver(false) },
          });
          expect(error.hint).to.match(/primary itself/);
          await expectTakenBack(test, error, was, { code: 'LHM_NOT_ONE_SERVER' });
        });
      }
    }

    it('new connections lead there while the cut-over waits: noticed', async () => {
      const holder = await test.connect();
      const failing = test.failure(ADD_COLUMN, {
        ...{ ...SMALL_CHUNKS, knex, cutOver: { backoffMs: 10 } },
        hooks: {
          beforeCutOver: async () => {
            await holder.query('START TRANSACTION');
            await holder.query('SELECT COUNT(*) FROM emails');
          },
        },
        progress: ({ waitingFor }) => {
          if (waitingFor === null || moved) return;
          moved = true;
          void holder.query('COMMIT');
        },
      });
      const error = await failing;
      await expectTakenBack(test, error, was, { code: 'LHM_NOT_ONE_SERVER' });
    });

    for (const hook of HOOKS) {
      for (const cut of [true, false]) {
        const how = cut ? 'every connection is cut' : 'ours stay on the old primary';
        it(`in ${hook}, ${how}: the application goes on there, and so can the change`, async () => {
          const error: LargeHadronError = await failureOf(
            test.migrate(ADD_COLUMN, {
              ...{ ...SMALL_CHUNKS, knex, reconnectMs: 300 },
              hooks: {
                [hook]: async () => {
                  await failOver(true);
                  if (cut) proxy.cut();
                },
              },
            }),
          );
          const told = `${error.code}, ${error.outcome}: ${error.message}`;
          expect(error.code, told).to.match(NOTICED);
          expect(error.outcome, told).to.be.oneOf(['unknown', 'rolled-back']);
          there = await TestTable.at(pair.replica, test.database, test.table);
          expect(await there.rows()).to.deep.equal(was.rows);
          // Its triggers and its journal came by replication.
          await expectWritable(there);
          const left = [...(await there.tables()), ...(await there.triggers())];
          const named = error.leftovers.map(({ name }) => name.slice(test.database.length + 1));
          expect(named).to.include.members(left.filter((name) => name !== 'emails'));
          await there.migrate(ADD_COLUMN);
          expect(without(await there.rows(), 'extra')).to.deep.equal(was.rows);
          expect(await there.definition()).to.contain('`extra`');
          await expectNoLeaks(there);
          // Nothing was done to the old primary any more.
          expect(await test.rows()).to.deep.equal(was.rows);
          expect(await test.definition()).not.to.contain('`extra`');
        });
      }
    }

    it('the old primary comes back: what is left there is told, and removed', async () => {
      const error = await test.failure(ADD_COLUMN, {
        ...{ ...SMALL_CHUNKS, knex, reconnectMs: 300 },
        hooks: { afterRowCopy: () => failOver(true) },
      });
      await test.query('SET GLOBAL read_only = 0');
      moved = false;
      expect(error.code).to.match(NOTICED);
      for (const { sql } of error.leftovers) await test.query(sql);
      await expectNoLeaks(test);
      expect(await test.rows()).to.deep.equal(was.rows);
    });
  });
}
