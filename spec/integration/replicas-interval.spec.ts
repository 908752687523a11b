import { expect } from 'chai';
import createKnex, { type Knex } from 'knex';
import { createConnection, type Connection as Client } from 'mysql2/promise';

import { serversAndModes } from '../support/available-modes';
import { Operated } from '../support/operated';
import { startPrimaryWithReplica, type ReplicatedPair } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { aroundQueries } from '../support/test-table-statements';

const ROWS = 1000;
const INTERVAL_MS = 1500;

/** What a busy machine may add to one interval; less than a second interval would. */
const NOISE_MS = 1200;

/**
 * When a timer of this process is done that is set for one interval, and noise, after the moment. A process that stands still
 * for a while is late with it as it is with the question, and then does both in their order.
 */
function interval(moment: number): { readonly over: Promise<number> } {
  const ms = Math.max(0, moment - performance.now()) + INTERVAL_MS + NOISE_MS;
  return { over: new Promise((resolve) => setTimeout(() => resolve(performance.now()), ms)) };
}

const MAX_LAG_MS = 1500;
const HEARTBEAT_MS = 50;

/** Whenever the migration does something: the replica is asked, the last of its answers has come, a chunk is sent. */
interface Times {
  readonly asked: number[];
  readonly answered: number[];
  readonly chunks: number[];
}

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`how soon the copy holds for a replica on ${on}`, function () {
    this.timeout(120_000);
    let pair: ReplicatedPair;
    let replica: Client;
    let test: TestTable;
    let watched: Knex;
    let times: Times;

    const source = flavor === 'mysql' ? 'REPLICA' : 'SLAVE';

    before(async () => {
      pair = await startPrimaryWithReplica(flavor);
      replica = await createConnection(pair.replica.connection);
    });

    after(async () => {
      await replica.end();
      await pair.stop();
    });

    beforeEach(async () => {
      test = await TestTable.create(pair.primary, { rows: ROWS });
      await pair.caughtUp();
      watched = createKnex({ client: 'mysql2', connection: pair.replica.connection });
      times = { asked: [], answered: [], chunks: [] };
      aroundQueries(test.knex, (query) => (sql, values, callback) => {
        if (/^INSERT INTO .*`emails_lhmn`/.test(sql)) times.chunks.push(performance.now());
        return query(sql, values, callback);
      });
      aroundQueries(watched, (query) => (sql, values, callback) => {
        if (/^SHOW /.test(sql)) times.asked.push(performance.now());
        return query(sql, values, (...answer) => {
          times.answered.push(performance.now());
          callback(...answer);
        });
      });
    });

    afterEach(async () => {
      await replica.query('UNLOCK TABLES');
      await replica.query(`START ${source} SQL_THREAD`);
      await watched.destroy();
      await test.drop();
      await pair.caughtUp();
    });

    async function copying(): Promise<Operated> {
      const run = await Operated.begin(test, ADD_COLUMN, {
        mode,
        chunk: { rows: 1, pauseMs: 10 },
        binlog: { heartbeatMs: HEARTBEAT_MS },
        throttle: { replicas: [watched], maxLagMs: MAX_LAG_MS, intervalMs: INTERVAL_MS },
      });
      await run.until('some rows', ({ rowsCopied, throttled }) => rowsCopied >= 3 && throttled === null);
      return run;
    }

    /** What the replica itself says, in ms. */
    async function lag(): Promise<number> {
      const [rows] = await replica.query(
        flavor === 'mysql' ? 'SHOW REPLICA STATUS' : 'SHOW ALL SLAVES STATUS',
      );
      const [row] = rows as Record<string, unknown>[];
      return 1000 * Number(row?.['Seconds_Behind_Source'] ?? row?.['Seconds_Behind_Master']);
    }

    const lags = (one: (now: number) => boolean): Promise<true> =>
      until('the lag', async () => one(await lag()) || undefined, 5);

    const since = (some: readonly number[], moment: number): number[] => some.filter((at) => at > moment);

    /**
     * The first question after the moment comes within an interval, and its answer holds: the chunk that was on its way then is
     * the last. Which chunk comes after which answer is told by their order, so that only the interval itself is measured.
     */
    async function expectHeldSince(run: Operated, moment: number): Promise<void> {
      const { over } = interval(moment);
      const [first, second] = await until('some questions', () => {
        const asked = since(times.asked, moment);
        return asked.length >= 2 ? asked : undefined;
      });
      const end = await over;
      expect(first!, 'when it was asked').to.be.below(end);
      const answered = times.answered.filter((at) => at > first! && at < second!).at(-1)!;
      const late = since(times.chunks, answered);
      expect(late, 'chunks that were begun after its answer').to.have.length.at.most(1);
      expect(times.chunks.at(-1), 'when the last chunk was begun').to.be.below(end);
      const { rowsCopied, throttled } = run.operator.status();
      expect(rowsCopied).to.be.below(ROWS);
      expect(throttled).to.match(new RegExp(`^replica \\S+:${pair.replica.connection.port}, which `));
    }

    async function expectGoneOnSince(run: Operated, moment: number): Promise<void> {
      const { over } = interval(moment);
      const [first] = await until('a chunk', () => {
        const chunks = since(times.chunks, moment);
        return chunks.length > 0 ? chunks : undefined;
      });
      expect(first!, 'when it went on').to.be.below(await over);
      run.operator.settings.set('chunk.rows', '1000');
      run.operator.settings.set('chunk.pauseMs', '0');
      run.operator.settings.set('throttle.maxLagMs', '60000');
      expect((await run.result()).rowsCopied).to.equal(ROWS);
    }

    it('that lags: within one interval of the lag, and it goes on within one of its end', async () => {
      const run = await copying();
      await replica.query('FLUSH TABLES WITH READ LOCK');
      const locked = performance.now();
      // With the binary log the lag is measured by the last mark that got there, otherwise it is what the replica says.
      if (mode === 'triggers') await lags((now) => now > MAX_LAG_MS);
      await expectHeldSince(
        run,
        mode === 'triggers' ? performance.now() : locked + MAX_LAG_MS + HEARTBEAT_MS,
      );
      await replica.query('UNLOCK TABLES');
      await lags((now) => now === 0);
      await expectGoneOnSince(run, performance.now());
    });

    it('that has stopped: within one interval of the stop', async () => {
      const run = await copying();
      await replica.query(`STOP ${source} SQL_THREAD`);
      await expectHeldSince(run, performance.now());
      await replica.query(`START ${source} SQL_THREAD`);
      await lags((now) => now === 0);
      await expectGoneOnSince(run, performance.now());
    });
  });
}
