import { expect } from 'chai';
import createKnex, { type Knex } from 'knex';
import { createConnection, type Connection as Client } from 'mysql2/promise';
import { LargeHadronError, largeHadronMigrate, type ProgressSnapshot } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { startPrimaryWithReplica, type Connection, type ReplicatedPair } from '../support/servers';

const DATABASE = 'watched';
const ROWS = 300;

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`replicas that are watched on ${on}`, function () {
    this.timeout(180_000);
    let pair: ReplicatedPair;
    let primary: Client;
    let replica: Client;
    let knex: Knex;
    let onReplica: Knex;
    const knexes: Knex[] = [];

    function knexTo(connection: Connection, account: object = {}): Knex {
      const made = createKnex({ client: 'mysql2', connection: { ...connection, ...account } });
      knexes.push(made);
      return made;
    }

    const sqlThread = (what: 'START' | 'STOP'): Promise<unknown> =>
      replica.query(flavor === 'mysql' ? `${what} REPLICA SQL_THREAD` : `${what} SLAVE SQL_THREAD`);

    before(async () => {
      pair = await startPrimaryWithReplica(flavor);
      primary = await createConnection({ ...pair.primary.connection, multipleStatements: true });
      replica = await createConnection(pair.replica.connection);
      await primary.query(`CREATE DATABASE ${DATABASE}; USE ${DATABASE}`);
      await pair.caughtUp();
      knex = createKnex({ client: 'mysql2', connection: { ...pair.primary.connection, database: DATABASE } });
      onReplica = knexTo(pair.replica.connection);
    });

    beforeEach(async () => {
      const values = Array.from({ length: ROWS }, (_, i) => `(${i + 1}, ${i})`).join(', ');
      await primary.query(
        `CREATE TABLE emails (id INT PRIMARY KEY, size INT); INSERT INTO emails VALUES ${values}`,
      );
      await pair.caughtUp();
    });

    afterEach(async () => {
      await sqlThread('START');
      const [tables] = await primary.query({ sql: 'SHOW TABLES', rowsAsArray: true });
      for (const [table] of tables as string[][]) await primary.query(`DROP TABLE ${table!}`);
      await pair.caughtUp();
    });

    after(async () => {
      await Promise.all([knex, ...knexes].map((one) => one.destroy()));
      await primary.end();
      await replica.end();
      await pair.stop();
    });

    async function refusal(replicas: readonly Knex[]): Promise<LargeHadronError> {
      try {
        await largeHadronMigrate(
          'emails',
          { knex, mode, throttle: { replicas }, progress: 'none' },
          'ADD COLUMN x INT',
        );
      } catch (error) {
        expect(error).to.be.instanceOf(LargeHadronError);
        return error as LargeHadronError;
      }
      throw new Error('it was not refused');
    }

    async function expectUntouched(error: LargeHadronError, code: string, hint: RegExp): Promise<void> {
      expect(error.code).to.equal(code);
      expect(error.outcome).to.equal('untouched');
      expect(error.hint).to.match(hint);
      const [tables] = await primary.query({ sql: 'SHOW TABLES', rowsAsArray: true });
      expect(tables).to.deep.equal([['emails']]);
    }

    it('one that is no replica is refused', async () => {
      const error = await refusal([knexTo(pair.primary.connection)]);
      await expectUntouched(error, 'LHM_REPLICA_UNFIT', /Name replicas that run/);
      expect(error.message).to.match(/throttle\.replicas\[0\] .* is no replica/);
    });

    it('one that cannot be reached is refused', async () => {
      const error = await refusal([onReplica, knexTo({ ...pair.replica.connection, password: 'wrong' })]);
      await expectUntouched(error, 'LHM_REPLICA_UNFIT', /Name replicas that run/);
      expect(error.message).to.match(/throttle\.replicas\[1\] cannot be asked/);
    });

    it('one that has stopped is refused', async () => {
      await sqlThread('STOP');
      const error = await refusal([onReplica]);
      await expectUntouched(error, 'LHM_REPLICA_UNFIT', /Name replicas that run/);
      expect(error.message).to.match(/has stopped applying changes/);
    });

    it('an account that may not ask is refused, with the GRANT that is missing', async () => {
      await primary.query("CREATE USER watcher IDENTIFIED BY 'secret'");
      await pair.caughtUp();
      const account = { user: 'watcher', password: 'secret' };
      const error = await refusal([knexTo(pair.replica.connection, account)]);
      const privilege = flavor === 'mysql' ? 'REPLICATION CLIENT' : 'REPLICA MONITOR';
      await expectUntouched(error, 'LHM_MISSING_PRIVILEGE', new RegExp(`GRANT ${privilege}`));
      const [grant] = /GRANT .*?;/.exec(error.hint)!;
      await primary.query(grant);
      await pair.caughtUp();
      const granted = knexTo(pair.replica.connection, account);
      const { rowsCopied } = await migrate([granted]);
      expect(rowsCopied).to.equal(ROWS);
    });

    function migrate(
      replicas: readonly Knex[],
      progress: 'none' | ((snapshot: ProgressSnapshot) => void) = 'none',
      chunk = {},
    ): ReturnType<typeof largeHadronMigrate> {
      return largeHadronMigrate(
        'emails',
        { knex, mode, throttle: { replicas, maxLagMs: false }, progress, chunk },
        'ADD COLUMN x INT',
      );
    }

    /** Runs a migration in small chunks; stops the replica at the third, and lets it go on once the copy holds. */
    async function holding(stop: () => Promise<unknown>, mend: () => Promise<unknown>): Promise<string[]> {
      const seen: string[] = [];
      const done: Promise<unknown>[] = [];
      const heldAt: number[] = [];
      let stopped = false;
      const { rowsCopied } = await migrate(
        [onReplica],
        ({ waitingFor, rowsCopied: copied }) => {
          if (!stopped && copied >= 15) {
            stopped = true;
            done.push(stop());
          }
          if (waitingFor === null) return;
          if (heldAt.length === 2) done.push(mend());
          heldAt.push(copied);
          seen.push(waitingFor);
        },
        { rows: 5, pauseMs: 50 },
      );
      await Promise.all(done);
      expect(rowsCopied).to.equal(ROWS);
      // Some rounds at least passed before it was mended, and no row was copied in them.
      expect(heldAt.length).to.be.at.least(3);
      expect(new Set(heldAt).size).to.equal(1);
      expect(heldAt[0]).to.be.below(ROWS);
      await pair.caughtUp();
      const [counts] = await replica.query({
        sql: `SELECT COUNT(*), COUNT(x) FROM ${DATABASE}.emails`,
        rowsAsArray: true,
      });
      expect(counts).to.deep.equal([[ROWS, 0]]);
      return seen;
    }

    it('the copy holds while one is stopped, and goes on with it', async () => {
      const seen = await holding(
        () => sqlThread('STOP'),
        () => sqlThread('START'),
      );
      expect(seen.join()).to.match(/replica .*:\d+, which has stopped applying changes/);
    });

    async function expectHeldBy1032(work: () => Promise<unknown>): Promise<void> {
      const execMode = flavor === 'mysql' ? 'replica_exec_mode' : 'slave_exec_mode';
      try {
        const seen = await holding(work, async () => {
          await replica.query(`SET GLOBAL ${execMode} = 'IDEMPOTENT'`);
          await sqlThread('START');
        });
        expect(seen.join()).to.match(/stopped applying changes \(error 1032/);
      } finally {
        await replica.query(`SET GLOBAL ${execMode} = 'STRICT'`);
      }
    }

    if (mode === 'triggers') {
      it('the copy holds when a write that was not logged has stopped one (1032)', async () => {
        const unlogged = await createConnection({ ...pair.primary.connection, database: DATABASE });
        try {
          await unlogged.query('SET sql_log_bin = 0');
          // The replica is then told to delete a row of the journal that it does not have.
          await expectHeldBy1032(() => unlogged.query('UPDATE emails SET size = size + 1 WHERE id = 1'));
        } finally {
          await unlogged.end();
        }
      });
    }

    it('the copy holds when a write to a row that the replica lacks has stopped it (1032)', () =>
      expectHeldBy1032(async () => {
        await replica.query(`DELETE FROM ${DATABASE}.emails WHERE id = 1`);
        await primary.query('UPDATE emails SET size = size + 1 WHERE id = 1');
      }));

    it('the swap is held as well', async () => {
      const done: Promise<unknown>[] = [];
      const waited: string[] = [];
      const result = await largeHadronMigrate(
        'emails',
        {
          ...{ knex, mode, throttle: { replicas: [onReplica] }, cutOver: { drainBudgetMs: 5000 } },
          hooks: { beforeCutOver: () => sqlThread('STOP').then(() => undefined) },
          progress: ({ waitingFor, phase }) => {
            if (waitingFor === null || phase !== 'cut-over') return;
            if (waited.push(waitingFor) === 1) done.push(sqlThread('START'));
          },
        },
        'ADD COLUMN x INT',
      );
      await Promise.all(done);
      expect(waited[0]).to.match(/stopped applying changes/);
      expect(result.cutOver.attempts).to.equal(1);
    });
  });
}
