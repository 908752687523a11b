import { expect } from 'chai';
import createKnex from 'knex';

import { BinlogConnectionLost } from '../../lib/binlog/binlog-errors';
import type { BinlogEvent } from '../../lib/binlog/binlog-events';
import { currentPosition, type BinlogPosition } from '../../lib/binlog/binlog-position';
import { BinlogStream } from '../../lib/binlog/binlog-stream';
import type { StreamedTable } from '../../lib/binlog/streamed-table';
import { connectDatabase } from '../../lib/database/mysql-database';
import { Refusal } from '../../lib/errors';
import { logReaders } from '../support/binlog/server-log';
import { BinlogFixture, rowsOf, SCHEMA } from '../support/binlog/fixture';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}

/** Reads until it fails. */
async function end(stream: BinlogStream): Promise<unknown> {
  for (;;) {
    try {
      if ((await stream.next()) === null) return new Error('it was closed');
    } catch (error) {
      return error;
    }
  }
}

function expectRefusal(error: unknown, code: string): Refusal {
  expect(error, String(error)).to.be.instanceOf(Refusal);
  expect(error).to.have.property('code', code);
  return error as Refusal;
}

const ids = (events: readonly BinlogEvent[], table = 't'): string[] =>
  rowsOf(events, table).flatMap(({ rows }) => rows.map(({ after }) => after![0]!));

for (const flavor of availableFlavors()) {
  describe(`reading the binary log of ${flavor} fails well`, function () {
    this.timeout(180_000);
    let fixture: BinlogFixture;
    let table: StreamedTable;

    before(async () => {
      fixture = await BinlogFixture.start(flavor);
      await fixture.query('CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(50)) ENGINE = InnoDB');
      table = await fixture.table('t', ['id']);
    });

    afterEach(async () => {
      fixture.closeStreams();
      await fixture.query('DELETE FROM t');
    });

    after(() => fixture.end());

    const readers = (): Promise<number[]> => logReaders(fixture);

    async function expectNoReaders(): Promise<void> {
      for (let round = 0; (await readers()).length > 0 && round < 100; round++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(await readers()).to.deep.equal([]);
    }

    it('when the part that comes next was purged: with the server’s own words', async () => {
      const from = await fixture.position();
      await fixture.query('FLUSH BINARY LOGS');
      const { file } = await fixture.position();
      await fixture.purgeTo(file);
      const error = expectRefusal(await rejection(fixture.stream([table], from)), 'LHM_BINLOG_PURGED');
      expect(error.message).to.match(/could not find|not found/i);
      expect(error.hint).to.contain('expire_logs');
      expectRefusal(
        await rejection(fixture.stream([table], { file, offset: 1_000_000_000 })),
        'LHM_BINLOG_PURGED',
      );
      expectRefusal(
        await rejection(fixture.stream([table], { file, offset: 5_000_000_000 })),
        'LHM_BINLOG_UNREADABLE',
      );
    });

    it('when the account may not', async () => {
      await fixture.query("CREATE USER weak@'%' IDENTIFIED BY 'weak'");
      await fixture.query(`GRANT ALL ON ${SCHEMA}.* TO weak@'%'`);
      const knex = createKnex({
        client: 'mysql2',
        connection: { ...fixture.server.connection, user: 'weak', password: 'weak', database: SCHEMA },
      });
      const database = await connectDatabase(knex);
      const stream = new BinlogStream({ database, tables: [table] });
      try {
        const position = await rejection(currentPosition(await database.open('spec')));
        expect(expectRefusal(position, 'LHM_MISSING_PRIVILEGE').hint).to.match(
          /GRANT (REPLICATION CLIENT|BINLOG MONITOR)/,
        );
        const start = await rejection(stream.start(await fixture.position()));
        expect(expectRefusal(start, 'LHM_MISSING_PRIVILEGE').hint).to.contain('GRANT REPLICATION SLAVE');
      } finally {
        stream.close();
        await database.close();
        await knex.destroy();
        await fixture.query("DROP USER weak@'%'");
      }
    });

    it('when the connection is killed: it can begin again, and nothing is lost', async () => {
      const stream = await fixture.stream([table], await fixture.position());
      await fixture.query('INSERT INTO t (id) VALUES (1)');
      const got = ids(await fixture.upTo(stream, await fixture.mark()));
      await fixture.query(`KILL ${stream.connectionId}`);
      await fixture.query('INSERT INTO t (id) VALUES (2)');
      expect(await end(stream)).to.be.instanceOf(BinlogConnectionLost);
      expect(await rejection(stream.next()), 'the same again').to.be.instanceOf(BinlogConnectionLost);
      await fixture.query('INSERT INTO t (id) VALUES (3)');
      await stream.start(stream.position!);
      got.push(...ids(await fixture.upTo(stream, await fixture.mark())));
      expect(new Set(got)).to.deep.equal(new Set(['1', '2', '3']));
      stream.close();
      await expectNoReaders();
    });

    it('when the server is started anew or killed: every committed change comes, in its order', async () => {
      const stream = await fixture.stream([table], await fixture.position());
      const got: string[] = [];
      let position: BinlogPosition = stream.position!;
      let crashes = 0;
      const read = (async () => {
        for (;;) {
          try {
            const batch = await stream.next();
            if (batch === null) return;
            got.push(...ids(batch.events));
            crashes += batch.events.filter((event) => event.kind === 'started' && event.crashed).length;
            position = batch.position;
          } catch (error) {
            if (!(error instanceof BinlogConnectionLost)) throw error;
            await new Promise((resolve) => setTimeout(resolve, 100));
            await stream.start(position).catch((again: unknown) => {
              if (!(again instanceof BinlogConnectionLost)) throw again;
            });
          }
        }
      })();
      let next = 1000;
      const committed: string[] = [];
      for (const [restart, isCrash] of [
        [() => fixture.server.restart(), false],
        [() => fixture.server.kill().then(() => fixture.server.start()), true],
      ] as const) {
        for (let n = 0; n < 100; n++) {
          await fixture.query(`INSERT INTO t (id) VALUES (${++next})`);
          committed.push(String(next));
        }
        crashes = 0;
        await restart();
        await fixture.reconnect();
        await fixture.query(`INSERT INTO t (id) VALUES (${++next})`);
        committed.push(String(next));
        while (!got.includes(String(next))) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(crashes > 0, 'a file that was not ended').to.equal(isCrash);
      }
      await fixture.query('INSERT INTO t (id) VALUES (9999)');
      while (!got.includes('9999')) await new Promise((resolve) => setTimeout(resolve, 20));
      stream.close();
      await read;
      expect([...new Set(got)]).to.deep.equal([...committed, '9999']);
    });

    it('when the server no longer answers: it is noticed by its silence', async function () {
      const { pid } = fixture.server;
      if (pid === undefined) this.skip();
      const stream = await fixture.stream([table], await fixture.position(), {
        heartbeatMs: 200,
        silentHeartbeats: 15,
      });
      await fixture.upTo(stream, await fixture.mark());
      const started = performance.now();
      while (performance.now() - started < 4000) await stream.next();
      process.kill(pid, 'SIGSTOP');
      try {
        const error = await end(stream);
        expect(error).to.be.instanceOf(BinlogConnectionLost);
        expect((error as Error).message).to.contain('silent');
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      stream.close();
    });

    it('not when it is closed, which ends what waits, and leaves nothing', async () => {
      const before = process.getActiveResourcesInfo();
      const stream = await fixture.stream([table], await fixture.position());
      await fixture.upTo(stream, await fixture.mark());
      const started = performance.now();
      const ended = (async () => {
        for (let batch = await stream.next(); batch !== null; batch = await stream.next());
      })();
      stream.close();
      stream.close();
      await ended;
      expect(performance.now() - started).to.be.below(500);
      expect(await rejection(stream.start(await fixture.position()))).to.be.instanceOf(Error);
      await new Promise((resolve) => setImmediate(resolve));
      const count = (list: readonly string[], what: string): number =>
        list.filter((name) => name === what).length;
      const after = process.getActiveResourcesInfo();
      expect(count(after, 'TCPSocketWrap')).to.be.at.most(count(before, 'TCPSocketWrap'));
      await expectNoReaders();
    });

    it('not when others read too; of two with one server_id the older is told that it is gone', async () => {
      const from = await fixture.position();
      const one = await fixture.stream([table], from);
      const two = await fixture.stream([table], from);
      await fixture.query('INSERT INTO t (id) VALUES (1), (2)');
      const mark = await fixture.mark();
      for (const stream of [one, two])
        expect(rowsOf(await fixture.upTo(stream, mark), 't')).to.have.length(1);
      one.close();
      two.close();
      const older = await fixture.stream([table], from, { serverId: 3_000_000_001 });
      const newer = await fixture.stream([table], from, { serverId: 3_000_000_001 });
      expect(await end(older)).to.be.instanceOf(BinlogConnectionLost);
      expect(rowsOf(await fixture.upTo(newer, mark), 't')).to.have.length(1);
      newer.close();
      await expectNoReaders();
    });

    it('when the table was altered: it is told once, and none of its rows from there on', async () => {
      await fixture.query('CREATE TABLE a (id INT NOT NULL PRIMARY KEY, v INT)');
      const altered = await fixture.table('a');
      const from = await fixture.position();
      const stream = await fixture.stream([altered], from);
      await fixture.query('INSERT INTO a VALUES (1, 1)');
      await fixture.query('FLUSH TABLES');
      await fixture.query('INSERT INTO a VALUES (2, 1)');
      await fixture.query('ALTER TABLE a MODIFY v BIGINT');
      await fixture.query('INSERT INTO a VALUES (3, 1)');
      await fixture.query('ALTER TABLE a MODIFY v INT');
      await fixture.query('INSERT INTO a VALUES (4, 1)');
      const mark = await fixture.mark();
      const events = await fixture.upTo(stream, mark);
      stream.close();
      expect(ids(events, 'a')).to.deep.equal(['1', '2']);
      expect(events.filter(({ kind }) => kind === 'altered')).to.deep.equal([
        { kind: 'altered', table: 'a', difference: "columns' types" },
      ]);
      // A table that is not what it was taken for is noticed at its first row.
      await fixture.query('ALTER TABLE a ADD w DATE');
      const late = await fixture.stream([altered], await fixture.position());
      await fixture.query('INSERT INTO a VALUES (5, 1, NULL)');
      const told = await fixture.upTo(late, await fixture.mark());
      expect(told.filter(({ kind }) => kind === 'altered')).to.have.length(1);
      late.close();
    });
  });

  describe(`${flavor} without a binary log`, function () {
    this.timeout(180_000);
    let server: RunningServer;

    before(async () => {
      server = await startServer(flavor, { args: ['--skip-log-bin'] });
    });

    after(() => server.stop());

    it('is refused', async () => {
      const knex = createKnex({ client: 'mysql2', connection: { ...server.connection } });
      const database = await connectDatabase(knex);
      const stream = new BinlogStream({ database, tables: [] });
      try {
        expectRefusal(await rejection(currentPosition(await database.open('spec'))), 'LHM_BINLOG_OFF');
        expectRefusal(await rejection(stream.start({ file: 'binlog.000001', offset: 4 })), 'LHM_BINLOG_OFF');
      } finally {
        stream.close();
        await database.close();
        await knex.destroy();
      }
    });
  });
}
