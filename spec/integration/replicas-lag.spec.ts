import { expect } from 'chai';
import { createConnection, type Connection as Client } from 'mysql2/promise';

import type { ThrottleOptions } from '../../lib';
import { Operated } from '../support/operated';
import { availableFlavors, startPrimaryWithReplica, type ReplicatedPair } from '../support/servers';
import { TestTable, type Options } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

const ROWS = 100;

for (const flavor of availableFlavors()) {
  describe(`a replica that lags on ${flavor}`, function () {
    this.timeout(120_000);
    let pair: ReplicatedPair;
    let replica: Client;
    let test: TestTable;
    let url: string;

    const source = flavor === 'mysql' ? 'REPLICA' : 'SLAVE';

    before(async () => {
      pair = await startPrimaryWithReplica(flavor);
      replica = await createConnection(pair.replica.connection);
      const { host, port, user, password } = pair.replica.connection;
      url = `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}`;
    });

    after(async () => {
      await replica.end();
      await pair.stop();
    });

    beforeEach(async () => {
      test = await TestTable.create(pair.primary, { rows: ROWS });
      await pair.caughtUp();
    });

    afterEach(async () => {
      await test.drop();
      await pair.caughtUp();
    });

    const begin = (throttle: ThrottleOptions, options: Options = {}): Promise<Operated> =>
      Operated.begin(test, ADD_COLUMN, {
        chunk: { rows: 1, pauseMs: 40 },
        throttle: { intervalMs: 50, ...throttle },
        ...options,
      });

    const someRows = (run: Operated): Promise<unknown> =>
      run.until('some rows', ({ rowsCopied, throttled }) => rowsCopied >= 3 && throttled === null);

    /** Not a row is copied while the reason is told, which names the replica. */
    async function expectHeld(run: Operated, reason: RegExp): Promise<void> {
      const { rowsCopied, throttled } = await run.until('the hold', (now) =>
        reason.test(now.throttled ?? ''),
      );
      expect(throttled).to.match(new RegExp(`^replica \\S+:${pair.replica.connection.port}, `));
      expect(rowsCopied).to.be.below(ROWS);
      const already = run.seen.length;
      await run.until('some looks', () => run.seen.length >= already + 3);
      for (const now of run.seen.slice(already)) {
        expect(now.throttled).to.match(reason);
        expect(now.rowsCopied).to.equal(rowsCopied);
      }
    }

    async function expectGoneOn(run: Operated): Promise<void> {
      run.operator.settings.set('chunk.rows', '50');
      run.operator.settings.set('throttle.maxLagMs', '10000');
      const { rowsCopied } = await run.result();
      expect(rowsCopied).to.equal(ROWS);
      await pair.caughtUp();
      const [counts] = await replica.query({
        sql: `SELECT COUNT(*), COUNT(extra) FROM ${test.database}.emails`,
        rowsAsArray: true,
      });
      expect(counts).to.deep.equal([[ROWS, 0]]);
    }

    for (const mode of ['triggers', 'binlog'] as const) {
      it(`holds the copy until it has caught up, with ${mode}`, async () => {
        const run = await begin({ replicas: [url], maxLagMs: 1500 }, { mode });
        await someRows(run);
        await replica.query('FLUSH TABLES WITH READ LOCK');
        await expectHeld(run, /, which is \d+\.\d s behind$/);
        // By the migration's own heartbeat, which is finer than the whole seconds of the server.
        run.operator.settings.set('throttle.maxLagMs', '600000');
        await run.until('a lag that may be', ({ throttled }) => throttled === null);
        run.operator.settings.set('throttle.maxLagMs', '1500');
        await expectHeld(run, /, which is \d+\.\d s behind$/);
        if (mode === 'binlog')
          await run.until('a finer lag', ({ throttled }) => /\.[1-9] s behind/.test(throttled ?? ''));
        await replica.query('UNLOCK TABLES');
        await run.until('the end of the hold', ({ throttled }) => throttled === null);
        await expectGoneOn(run);
      });
    }

    it('holds where only those may lag that have stopped', async () => {
      const run = await begin({ replicas: [url], maxLagMs: false });
      await someRows(run);
      await replica.query(`STOP ${source} SQL_THREAD`);
      await expectHeld(run, /, which has stopped applying changes$/);
      await replica.query(`START ${source} SQL_THREAD`);
      await expectGoneOn(run);
    });

    it('holds while it is not connected to its source', async () => {
      const run = await begin({ replicas: [url] });
      await someRows(run);
      await replica.query(`STOP ${source} IO_THREAD`);
      await expectHeld(run, /, whose lag is not known/);
      await replica.query(`START ${source} IO_THREAD`);
      await expectGoneOn(run);
    });

    it('holds while it is down, and asks it again when it is back', async () => {
      const run = await begin({ replicas: [url] });
      await someRows(run);
      await replica.end();
      await pair.replica.kill();
      await expectHeld(run, /, which (?:cannot be asked: |does not answer)/);
      await pair.replica.start();
      replica = await createConnection(pair.replica.connection);
      await expectGoneOn(run);
    });

    it('may be named, and left alone, while the migration runs', async () => {
      await replica.query(`STOP ${source} SQL_THREAD`);
      const run = await begin({});
      await someRows(run);
      run.operator.settings.set('throttle.replicas', url);
      await expectHeld(run, /, which has stopped applying changes$/);
      run.operator.settings.set('throttle.replicas', 'off');
      await run.until('the end of the hold', ({ throttled }) => throttled === null);
      await replica.query(`START ${source} SQL_THREAD`);
      await expectGoneOn(run);
    });
  });
}
