import { expect } from 'chai';
import createKnex, { type Knex } from 'knex';
import { createConnection, type Connection as Client } from 'mysql2/promise';

import { largeHadronCleanUp, largeHadronMigrate } from '../../lib';
import { leaveDeadRun } from '../support/dead-run';
import { expectNoLeaks } from '../support/leak-guard';
import {
  availableFlavors,
  follow,
  startPrimaryWithReplica,
  startServer,
  type ReplicatedPair,
} from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';
import { createWorkload, describeReport, isExact, prepareLedgerTable } from '../support/workload';

for (const flavor of availableFlavors()) {
  describe(`migrations of a replica on ${flavor}`, function () {
    this.timeout(180_000);
    let pair: ReplicatedPair;
    let replica: Client;

    before(async () => {
      pair = await startPrimaryWithReplica(flavor);
      replica = await createConnection({ ...pair.replica.connection, multipleStatements: true });
      await replica.query('SET GLOBAL read_only = 1');
    });

    after(async () => {
      await replica.end();
      await pair.stop();
    });

    async function statusOf(): Promise<Record<string, string>> {
      const [[row]] = (await replica.query(
        flavor === 'mysql' ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS',
      )) as unknown as [Record<string, string>[]];
      return row!;
    }

    const isApplying = async (): Promise<boolean> => {
      const row = await statusOf();
      return (row['Replica_SQL_Running'] ?? row['Slave_SQL_Running']) === 'Yes';
    };

    const start = (): Promise<unknown> => replica.query(flavor === 'mysql' ? 'START REPLICA' : 'START SLAVE');

    /** Runs on the replica while an application writes to the primary. */
    async function underLoad<T>(
      database: string,
      run: (knex: Knex) => Promise<T>,
    ): Promise<{ done: T; primary: Client }> {
      const { connection } = pair.primary;
      const primary = await createConnection(connection);
      await primary.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
      const workload = {
        ...{ connection, database, table: 'emails', rows: 4000, seed: 5, dumps: false, pairedReaders: 0 },
        pace: 5,
      };
      await prepareLedgerTable(workload);
      await pair.caughtUp();
      const knex = createKnex({ client: 'mysql2', connection: { ...pair.replica.connection, database } });
      const application = createWorkload(workload);
      application.start();
      try {
        const done = await run(knex);
        const report = await application.stop();
        expect(isExact(report), describeReport(report)).to.equal(true);
        return { done, primary };
      } finally {
        await application.stop().catch(() => undefined);
        await knex.destroy();
      }
    }

    async function rowsOf(client: Client, table: string): Promise<Record<string, unknown>[]> {
      const [rows] = await client.query(`SELECT * FROM ${table} ORDER BY 1`);
      return rows as Record<string, unknown>[];
    }

    it('migrate: the table is changed there alone, and follows the primary', async () => {
      const { done, primary } = await underLoad('kept', (knex) =>
        largeHadronMigrate(
          'emails',
          { knex, mode: 'binlog', replica: 'migrate', progress: 'none', chunk: { rows: 500 } },
          (t) => {
            t.string('hashed_address', 64);
            t.index(['hashed_address']);
          },
        ),
      );
      try {
        expect(done.changesApplied).to.be.above(0);
        await pair.caughtUp();
        const there = await rowsOf(replica, 'kept.emails');
        expect(without(there, 'hashed_address')).to.deep.equal(await rowsOf(primary, 'kept.emails'));
        expect(there[0]).to.have.property('hashed_address', null);
        expect(done.oldTable).to.match(/^emails_lhmo_/);
        expect(await isApplying()).to.equal(true);
        const [tables] = await primary.query({ sql: 'SHOW TABLES FROM kept', rowsAsArray: true });
        expect((tables as string[][]).flat().sort()).to.deep.equal(['emails', 'emails_pair']);
      } finally {
        await primary.end();
      }
    });

    it('test: both tables stand side by side while the replication stands still', async () => {
      const told: string[] = [];
      const { done, primary } = await underLoad('tried', (knex) =>
        largeHadronMigrate(
          'emails',
          {
            ...{ knex, mode: 'binlog', replica: 'test', progress: 'none', chunk: { rows: 500 } },
            hooks: {
              onStopReplication: async () => void told.push(`stop ${String(await isApplying())}`),
              onStartReplication: () => void told.push('start'),
              afterCutOver: async () => void told.push(`after ${String(await isApplying())}`),
            },
          },
          (t) => {
            t.string('hashed_address', 64);
          },
        ),
      );
      try {
        expect(told).to.deep.equal(['stop true', 'after false']);
        expect(done.oldTable).to.equal(null);
        expect(done.testedTable).to.match(/^emails_lhmt_\d+$/);
        expect(done.changesApplied).to.be.above(0);
        const original = await rowsOf(replica, 'tried.emails');
        expect(original[0]).not.to.have.property('hashed_address');
        expect(without(await rowsOf(replica, `tried.${done.testedTable!}`), 'hashed_address')).to.deep.equal(
          original,
        );
        expect(await isApplying()).to.equal(false);
        const [tables] = await replica.query({ sql: 'SHOW TABLES FROM tried', rowsAsArray: true });
        expect((tables as string[][]).flat().sort()).to.deep.equal(
          ['emails', done.testedTable, 'emails_pair'].sort(),
        );
        await start();
        await pair.caughtUp();
        expect(await rowsOf(replica, 'tried.emails')).to.deep.equal(await rowsOf(primary, 'tried.emails'));
      } finally {
        await primary.end();
        if (!(await isApplying())) await start();
      }
    });

    describe('', () => {
      let test: TestTable;
      /** The same table on the replica. */
      let there: TestTable;

      beforeEach(async () => {
        test = await TestTable.create(pair.primary);
        await pair.caughtUp();
        there = await TestTable.at(pair.replica, test.database, test.table);
      });

      afterEach(async () => {
        await there.closeClients();
        if (!(await isApplying())) await start();
        await test.drop();
        await pair.caughtUp();
      });

      const on = (replicaOption: 'migrate' | 'test', options: Options = {}): Options => ({
        ...{ mode: 'binlog', replica: replicaOption },
        ...options,
      });

      async function expectAsItWas(): Promise<void> {
        expect(await there.tables()).to.deep.equal(['emails']);
        expect(await there.rows()).to.deep.equal(await test.rows());
        expect(await isApplying()).to.equal(true);
        await expectNoLeaks(there);
      }

      for (const strategy of ['auto', 'sentry'] as const)
        it(`test by ${strategy}: fails with the replication started again`, async () => {
          const told: string[] = [];
          const error = await there.failure(
            ADD_COLUMN,
            on('test', {
              cutOver: { strategy },
              hooks: {
                onStartReplication: async () => void told.push(`start ${String(await isApplying())}`),
                afterCutOver: () => {
                  throw new Error('not as it should be');
                },
              },
            }),
          );
          expect(error).to.include({ code: 'LHM_HOOK_FAILED', outcome: 'rolled-back' });
          expect(told).to.deep.equal(['start false']);
          await expectAsItWas();
        });

      const moments = [
        ['before the replication is stopped', /^STOP (?:REPLICA|ALL SLAVES)$/],
        ['before the swap', /^RENAME TABLE .* TO \S*_lhmo_/],
        ['before it is swapped back', /^RENAME TABLE \S*`emails` TO \S*_lhmt_/],
        ['before it is cleaned up', /^DROP TABLE IF EXISTS \S*_lhmj_/],
      ] as const;
      for (const [when, match] of moments)
        it(`test: killed ${when}, it is cleaned up, and replicates again`, async () => {
          const error = await leaveDeadRun(there, match, on('test'));
          expect(error.outcome).to.equal('unknown');
          expect(error.hint).to.match(/largeHadronCleanUp.* START (?:REPLICA|ALL SLAVES);/);
          await largeHadronCleanUp('emails', { knex: there.knex });
          await expectAsItWas();
        });

      const refused = (
        options: Options,
        code: string,
        says: RegExp,
        alter = ADD_COLUMN as string | typeof ADD_COLUMN,
      ) =>
        expectRefused(there, { code, says, ...(code === 'LHM_BAD_OPTION' ? { phase: 'plan' } : {}) }, () =>
          there.failure(alter, options),
        );

      it('is refused in trigger mode, and without the option', async () => {
        await refused({ replica: 'migrate' }, 'LHM_BAD_OPTION', /fires no triggers/);
        await refused({ mode: 'binlog' }, 'LHM_PREFLIGHT', /LHM_REPLICATED_WRITES/);
      });

      if (flavor === 'mysql')
        it('is refused where nobody may write', async () => {
          await replica.query('SET GLOBAL super_read_only = 1');
          // The leak guard writes.
          const error = await there.failure(ADD_COLUMN, on('migrate'));
          await replica.query('SET GLOBAL super_read_only = 0');
          expect(error).to.include({ code: 'LHM_READ_ONLY', outcome: 'untouched' });
          expect(error.hint).to.match(/SET GLOBAL super_read_only = OFF/);
          await expectAsItWas();
        });

      it('is refused of a server that is no replica, and of one that does not log what it gets', async () => {
        const logging = flavor === 'mysql' ? '--skip-log-replica-updates' : '--skip-log-slave-updates';
        const mute = await startServer(flavor, { args: [logging] });
        const other = await TestTable.create(mute);
        try {
          await expectRefused(other, { code: 'LHM_PREFLIGHT', says: /is no replica.*\n.*does not log/ }, () =>
            other.failure(ADD_COLUMN, on('migrate')),
          );
          await follow(pair.primary, mute);
          await expectRefused(other, { code: 'LHM_BINLOG_OFF', says: /does not log what it gets/ }, () =>
            other.failure(ADD_COLUMN, on('migrate')),
          );
        } finally {
          await other.closeClients();
          await mute.stop();
        }
      });

      const moving: readonly (readonly [what: string, alter: string, says: RegExp])[] = [
        ['a column that moves', 'ADD COLUMN extra INT FIRST', /'id' would not stand in the place/],
        ['a column that goes', 'DROP COLUMN size', /'size' would not stand/],
        ['another type', 'MODIFY size BIGINT NOT NULL DEFAULT 0', /'size' would have another type/],
        ['another character set', 'CONVERT TO CHARACTER SET latin1', /another character set/],
        ['a column without a default', 'ADD COLUMN extra INT NOT NULL', /'extra' has no default/],
      ];
      for (const [what, alter, says] of moving)
        it(`migrate: is refused with ${what}, which replication would not survive`, async () => {
          const error = await there.failure(alter, on('migrate'));
          expect(error.code, error.message).to.equal('LHM_ALTER_UNSUPPORTED');
          expect(error.message).to.match(says);
          await expectAsItWas();
        });
    });
  });
}
