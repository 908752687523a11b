import { expect } from 'chai';
import type { Knex } from 'knex';
import { createConnection, type Connection as Client } from 'mysql2/promise';

import { largeHadronMigrate, type ProgressSnapshot } from '../../lib';
import { createAccount } from '../support/account';
import { expectNoLeaks } from '../support/leak-guard';
import { ledgerRun } from '../support/ledger-run';
import {
  availableFlavors,
  follow,
  startPrimaryWithReplica,
  startServer,
  type ReplicatedPair,
  type RunningServer,
} from '../support/servers';
import { failureOf, TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';
import { describeReport, isExact } from '../support/workload';

/** So that it takes seconds, and a replica can keep up. */
const SHORT = { rows: 2000, pace: 10, holdMs: 300, dumpClients: 1, dumpMs: 300, restMs: 2000 };

for (const flavor of availableFlavors()) {
  const WORD = flavor === 'mysql' ? 'REPLICA' : 'SLAVE';
  const CHANGE = flavor === 'mysql' ? 'CHANGE REPLICATION SOURCE TO' : 'CHANGE MASTER TO';
  const DELAY = flavor === 'mysql' ? 'SOURCE_DELAY' : 'MASTER_DELAY';

  /** It says that it has its source. */
  async function connected(client: Client): Promise<void> {
    const sql = flavor === 'mysql' ? "SHOW REPLICA STATUS FOR CHANNEL ''" : 'SHOW SLAVE STATUS';
    await until('the replica', async () => {
      const [[row]] = (await client.query(sql)) as unknown as [Record<string, string>[]];
      return (row?.['Replica_IO_Running'] ?? row?.['Slave_IO_Running']) === 'Yes' ? true : undefined;
    });
  }

  describe(`the binary log of a replica on ${flavor}`, function () {
    this.timeout(180_000);
    let pair: ReplicatedPair;
    let replica: Client;
    let source: string;

    before(async () => {
      pair = await startPrimaryWithReplica(flavor);
      replica = await createConnection({ ...pair.replica.connection, multipleStatements: true });
      source = urlOf(pair.replica);
    });

    after(async () => {
      await replica.end();
      await pair.stop();
    });

    /** Connections that are sent the server's log. */
    async function dumps(server: RunningServer): Promise<number> {
      const client = await createConnection(server.connection);
      const [rows] = await client.query('SHOW PROCESSLIST');
      await client.end();
      return (rows as { Command: string }[]).filter(({ Command }) => /^Binlog Dump/.test(Command)).length;
    }

    /** Who is told that it is over may be listed for a moment still. */
    async function expectNotRead(server: RunningServer): Promise<void> {
      await until('the end of the reading', async () => (await dumps(server)) === 0 || undefined);
    }

    it('is read instead of the primary’s: nothing lost, extra or wrong', async () => {
      const seen: number[] = [];
      const { report, result, leftovers } = await ledgerRun(pair.primary, {
        ...{ seed: 11, workload: SHORT, afterMs: 500 },
        migration: {
          ...{ mode: 'binlog', binlog: { source } },
          hooks: {
            afterRowCopy: async () => void seen.push(await dumps(pair.primary), await dumps(pair.replica)),
          },
        },
      });
      if (result instanceof Error) throw result;
      expect(isExact(report), describeReport(report)).to.equal(true);
      expect(result.changesApplied).to.be.above(0);
      expect(leftovers).to.deep.equal([]);
      // The primary sends its log to the replica, the replica to us.
      expect(seen).to.deep.equal([1, 1]);
      await expectNotRead(pair.replica);
    });

    it('comes late, and the swap waits for it', async () => {
      const waited: string[] = [];
      let released = false;
      const { report, result } = await ledgerRun(pair.primary, {
        ...{ seed: 12, workload: SHORT, afterMs: 500 },
        migration: {
          ...{ mode: 'binlog', binlog: { source } },
          hooks: { beforeRowCopy: () => replica.query('FLUSH TABLES WITH READ LOCK').then(() => undefined) },
          progress: ({ waitingFor }: ProgressSnapshot) => {
            if (!/^the binary log, which is \d+ s behind$/.test(waitingFor ?? '')) return;
            if (waited.push(waitingFor!) < 3 || released) return;
            released = true;
            void replica.query('UNLOCK TABLES');
          },
        },
      });
      if (result instanceof Error) throw result;
      expect(released, waited.join()).to.equal(true);
      expect(isExact(report), describeReport(report)).to.equal(true);
    });

    describe('', () => {
      let test: TestTable;

      beforeEach(async () => {
        test = await TestTable.create(pair.primary);
        await pair.caughtUp();
      });

      afterEach(() => test.drop());

      const withSource = (options: Options = {}): Options => ({
        ...{ mode: 'binlog', binlog: { source } },
        ...options,
      });

      /** What is as it was goes on being the same on both servers. */
      async function expectTakenBack(): Promise<void> {
        await expectNoLeaks(test);
        await expectNotRead(pair.replica);
      }

      it('what was done to the table before is not taken for what somebody does meanwhile', async () => {
        await replica.query(`STOP ${WORD}; ${CHANGE} ${DELAY} = 1; START ${WORD}`);
        await connected(replica);
        try {
          await test.query('ALTER TABLE emails ADD COLUMN before_it INT FIRST');
          await test.migrate(ADD_COLUMN, withSource({ cutOver: { drainBudgetMs: 60_000 } }));
        } finally {
          await replica.query(`STOP ${WORD}; ${CHANGE} ${DELAY} = 0; START ${WORD}`);
          await connected(replica);
        }
        const [old] = (await test.tables()).filter((name) => name.includes('_lhmo_'));
        expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(old));
        await expectNoLeaks(test);
      });

      it('is waited for no longer once the migration is aborted', async () => {
        const controller = new AbortController();
        const error = await failureOf(
          test.migrate(
            ADD_COLUMN,
            withSource({
              signal: controller.signal,
              hooks: { beforeCutOver: () => replica.query(`STOP ${WORD} SQL_THREAD`).then(() => undefined) },
              progress: ({ waitingFor }) => {
                if (/the binary log/.test(waitingFor ?? '')) controller.abort();
              },
            }),
          ),
        );
        await replica.query(`START ${WORD} SQL_THREAD`);
        expect(error).to.include({ outcome: 'rolled-back' });
        await expectTakenBack();
      });

      /** A Knex that leads somewhere else from a moment on. */
      function leadingTo(where: () => RunningServer): Knex {
        return test.makeKnex({ connection: () => Promise.resolve({ ...where().connection }) });
      }

      /** Ends the connection that is sent the replica's log. */
      async function endDump(): Promise<void> {
        const [rows] = await replica.query('SHOW PROCESSLIST');
        for (const { Id, Command } of rows as { Id: number; Command: string }[])
          if (/^Binlog Dump/.test(Command)) await replica.query(`KILL ${Id}`);
      }

      it('is read on after the connection was lost', async () => {
        const client = await test.connect();
        await test.migrate(
          ADD_COLUMN,
          withSource({
            hooks: {
              afterRowCopy: async () => {
                await endDump();
                await client.query("UPDATE emails SET note = 'late' WHERE id = 3");
              },
            },
          }),
        );
        const [old] = (await test.tables()).filter((name) => name.includes('_lhmo_'));
        expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(old));
        await expectTakenBack();
      });

      it('of another server than before ends the migration', async () => {
        let where = pair.replica;
        const error = await test.failure(
          ADD_COLUMN,
          withSource({
            binlog: { source: leadingTo(() => where) },
            hooks: {
              beforeCutOver: async () => {
                where = pair.primary;
                await endDump();
              },
            },
          }),
        );
        expect(error).to.include({ code: 'LHM_NOT_ONE_SERVER', outcome: 'rolled-back' });
        expect(error.hint).to.match(/Let binlog\.source lead to one replica/);
        await expectTakenBack();
      });

      it('whose place is lost ends the migration', async () => {
        const error = await test.failure(
          ADD_COLUMN,
          withSource({
            hooks: {
              beforeCutOver: async () => {
                await replica.query(`FLUSH BINARY LOGS; FLUSH BINARY LOGS; STOP ${WORD}`);
                await endDump();
                await replica.query(flavor === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
                await replica.query(`START ${WORD}`);
              },
            },
          }),
        );
        expect(error.code, error.message).to.be.oneOf(['LHM_BINLOG_PURGED', 'LHM_NOT_ONE_SERVER']);
        expect(error.outcome).to.equal('rolled-back');
        await expectTakenBack();
      });

      it('that is set up otherwise meanwhile ends the migration', async () => {
        const name = flavor === 'mysql' ? 'replica_exec_mode' : 'slave_exec_mode';
        const error = await test.failure(
          ADD_COLUMN,
          withSource({
            hooks: {
              beforeCutOver: () => replica.query(`SET GLOBAL ${name} = 'IDEMPOTENT'`).then(() => undefined),
            },
          }),
        );
        await replica.query(`SET GLOBAL ${name} = 'STRICT'`);
        expect(error).to.include({ code: 'LHM_REPLICA_UNFIT', outcome: 'rolled-back' });
        await expectTakenBack();
      });

      if (flavor === 'mariadb')
        it('whose order is kept no more since the tables were locked ends the migration', async () => {
          const parallel = (threads: number, gtid: string): string =>
            `STOP SLAVE; SET GLOBAL slave_parallel_threads = ${threads}; CHANGE MASTER TO MASTER_USE_GTID = ${gtid}; START SLAVE`;
          await replica.query(parallel(2, 'slave_pos'));
          await connected(replica);
          try {
            await test.query('CREATE TABLE elsewhere (id INT PRIMARY KEY)');
            const client = await test.connect();
            // With one domain it was kept.
            const run = async (): Promise<void> => {
              await client.query('SET SESSION gtid_domain_id = 7');
              await client.query('INSERT INTO elsewhere VALUES (1)');
            };
            const locked = intercept(test.knex, { match: /^LOCK TABLES .*_lhmn/, when: 'after', run });
            const error = await test.failure(ADD_COLUMN, withSource());
            expect(locked.happened).to.equal(true);
            expect(error).to.include({ code: 'LHM_BINLOG_ORDER', outcome: 'rolled-back', phase: 'cut-over' });
            await expectTakenBack();
          } finally {
            await replica.query(parallel(0, 'no'));
            await connected(replica);
          }
        });

      describe('is refused', () => {
        const refused = (code: string, says: RegExp, options: Options = {}) =>
          expectRefused(test, { code, says }, () => test.failure(ADD_COLUMN, withSource(options)));

        /** @param there what is done on the replica while it stands still, and undone */
        async function refusedWith(there: string, back: string, code: string, says: RegExp, hints: RegExp) {
          await replica.query(`STOP ${WORD}; ${there}; START ${WORD}`);
          await connected(replica);
          try {
            const error = await refused(code, says);
            expect(error.hint).to.match(hints);
          } finally {
            await replica.query(`STOP ${WORD}; ${back}; START ${WORD}`);
            await connected(replica);
          }
        }

        it('without mode: binlog', async () => {
          const error = await test.failure(ADD_COLUMN, { binlog: { source } });
          expect(error).to.include({ code: 'LHM_BAD_OPTION', outcome: 'untouched' });
        });

        it('where it is the primary itself', () =>
          refused('LHM_REPLICA_UNFIT', /is the server that is migrated/, {
            binlog: { source: urlOf(pair.primary) },
          }));

        it('where it cannot be reached', async () => {
          const error = await test.failure(
            ADD_COLUMN,
            withSource({ binlog: { source: { ...pair.replica.connection, password: 'wrong' } } }),
          );
          expect(error).to.include({ code: 'LHM_REPLICA_UNFIT', outcome: 'untouched' });
        });

        it('for an account that may not read the log, with the GRANT', async () => {
          const { user } = await createAccount(test);
          await pair.caughtUp();
          const account = { ...pair.replica.connection, user, password: 'secret' };
          const error = await refused('LHM_MISSING_PRIVILEGE', /of binlog\.source may not read/, {
            binlog: { source: account },
          });
          expect(error.hint).to.match(/GRANT REPLICATION SLAVE, /);
        });

        it('while it does not apply changes', async () => {
          await replica.query(`STOP ${WORD} SQL_THREAD`);
          try {
            const error = await refused('LHM_REPLICA_UNFIT', /does not get or apply/);
            expect(error.hint).to.match(/START/);
          } finally {
            await replica.query(`START ${WORD} SQL_THREAD`);
          }
        });

        it('where it logs otherwise than by rows', () =>
          refusedWith(
            "SET GLOBAL binlog_format = 'MIXED'",
            "SET GLOBAL binlog_format = 'ROW'",
            'LHM_BINLOG_FORMAT',
            /binlog_format = MIXED/,
            /SET GLOBAL binlog_format = 'ROW'/,
          ));

        it('where it stays behind', () =>
          refusedWith(
            `${CHANGE} ${DELAY} = 9`,
            `${CHANGE} ${DELAY} = 0`,
            'LHM_REPLICA_UNFIT',
            /9 s behind/,
            /DELAY = 0/,
          ));

        it('where a filter leaves the table or our marks out', async () => {
          const of = (table: string): string =>
            flavor === 'mysql'
              ? `CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = (${table === '' ? '' : `'${table}'`})`
              : `SET GLOBAL replicate_wild_ignore_table = '${table}'`;
          for (const table of [`${test.database}.emails`, '%.emails\\\\_lhmc\\\\_%'])
            await refusedWith(
              of(table),
              of(''),
              'LHM_REPLICA_UNFIT',
              /Wild_Ignore_Table/,
              /Take it away there/,
            );
        });

        it('where it follows two servers', () =>
          refusedWith(
            flavor === 'mysql'
              ? `${CHANGE} SOURCE_HOST = '127.0.0.1' FOR CHANNEL 'other'`
              : "CHANGE MASTER 'other' TO MASTER_HOST = '127.0.0.1'",
            flavor === 'mysql' ? "RESET REPLICA ALL FOR CHANNEL 'other'" : "RESET SLAVE 'other' ALL",
            'LHM_REPLICA_UNFIT',
            /follows 2 sources/,
            /follows one source/,
          ));

        if (flavor === 'mysql')
          it('where the order of changes is not kept', () =>
            refusedWith(
              'SET GLOBAL replica_preserve_commit_order = OFF',
              'SET GLOBAL replica_preserve_commit_order = ON',
              'LHM_BINLOG_ORDER',
              /does not keep their order/,
              /replica_preserve_commit_order = ON/,
            ));
        else
          it('where the order of changes is not kept', async () => {
            const client = await test.connect();
            await client.query('SET SESSION gtid_domain_id = 7');
            await client.query("UPDATE emails SET note = 'seven' WHERE id = 7");
            await pair.caughtUp();
            await refusedWith(
              'SET GLOBAL slave_parallel_threads = 2; CHANGE MASTER TO MASTER_USE_GTID = slave_pos',
              'SET GLOBAL slave_parallel_threads = 0; CHANGE MASTER TO MASTER_USE_GTID = no',
              'LHM_BINLOG_ORDER',
              /primary has 2/,
              /slave_parallel_threads = 0/,
            );
            await test.query('FLUSH BINARY LOGS');
          });

        it('where the table is none of InnoDB there', async () => {
          await replica.query(`SET sql_log_bin = 0; ALTER TABLE ${test.database}.emails ENGINE = MyISAM`);
          await refused('LHM_REPLICA_UNFIT', /in MyISAM/);
        });
      });
    });
  });

  describe(`the binary log of a replica further away on ${flavor}`, function () {
    this.timeout(180_000);
    let pair: ReplicatedPair;
    let far: RunningServer;
    let mute: RunningServer;
    let test: TestTable;

    before(async () => {
      const logging = flavor === 'mysql' ? '--log-replica-updates' : '--log-slave-updates';
      pair = await startPrimaryWithReplica(flavor);
      [far, mute] = await Promise.all([
        startServer(flavor, { args: [logging] }),
        startServer(flavor, { args: [`--skip-${logging.slice(2)}`] }),
      ]);
      await follow(pair.replica, far);
      test = await TestTable.create(pair.primary);
      // What comes while a filter is set is missing ever after.
      await pair.caughtUp();
    });

    after(async () => {
      await test.drop();
      await Promise.all([far.stop(), mute.stop()]);
      await pair.stop();
    });

    const options = (server: RunningServer): Options => ({
      mode: 'binlog',
      binlog: { source: urlOf(server) },
    });
    const refused = (code: string, says: RegExp, server: RunningServer) =>
      expectRefused(test, { code, says }, () => test.failure(ADD_COLUMN, options(server)));

    it('is refused of a replica of another server', async () => {
      const other = await TestTable.create(mute);
      try {
        const error = await failureOf(
          largeHadronMigrate(
            `${other.database}.emails`,
            { knex: other.knex, progress: 'none', ...options(pair.replica) },
            ADD_COLUMN,
          ),
        );
        expect(error).to.include({ code: 'LHM_REPLICA_UNFIT', outcome: 'untouched' });
        expect(error.message).to.match(/does not get what is written/);
      } finally {
        await other.drop();
      }
    });

    it('is refused of a server that is no replica, and of one that logs nothing of it', async () => {
      await refused('LHM_REPLICA_UNFIT', /is no replica/, mute);
      await follow(pair.primary, mute);
      await refused('LHM_BINLOG_OFF', /does not log what it gets/, mute);
    });

    it('is refused where a server in between leaves the table out', async () => {
      const between = await createConnection({ ...pair.replica.connection, multipleStatements: true });
      const filter = async (table: string): Promise<void> => {
        await between.query(
          flavor === 'mysql'
            ? `STOP REPLICA; CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = (${table}); START REPLICA`
            : `STOP SLAVE; SET GLOBAL replicate_ignore_table = '${table}'; START SLAVE`,
        );
        await connected(between);
      };
      await filter(`${test.database}.emails`);
      try {
        await refused('LHM_REPLICA_UNFIT', /, which binlog\.source follows, leaves out/, far);
      } finally {
        await filter('');
        await between.end();
      }
    });

    it('is read by way of the one in between', async () => {
      const client = await test.connect();
      const hooks = {
        afterRowCopy: () => client.query("UPDATE emails SET note = 'far'").then(() => undefined),
      };
      const result = await test.migrate(ADD_COLUMN, { ...options(far), hooks });
      expect(result.changesApplied).to.be.above(0);
      expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(result.oldTable!));
      await expectNoLeaks(test);
    });

    it('is read no more once the one in between was started anew, and may have lost the end of its log', async () => {
      let times = 0;
      const error = await test.failure('ADD COLUMN another INT NULL', {
        ...options(far),
        hooks: { beforeCutOver: () => (++times > 1 ? undefined : pair.replica.restart()) },
      });
      expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
      expect(error.message).to.match(/which binlog\.source follows, was started anew.*sync_binlog = 0/);
      await expectNoLeaks(test);
    });
  });
}

function urlOf({ connection: { host, port, user, password } }: RunningServer): string {
  return `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}`;
}
