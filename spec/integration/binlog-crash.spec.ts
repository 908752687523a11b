import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';

import { changelogOf, nextMarks, placeWrittenDown } from '../support/binlog/changelog';
import { endOfLog, killLogReaders } from '../support/binlog/server-log';
import { expectNoLeaks } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { balance, ConnectionProxy } from '../support/proxy/connection-proxy';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept, keptBack } from '../support/test-table-statements';

const BINLOG = { mode: 'binlog', reconnectMs: 60_000 } as const;

/** With a log that is not written through, a server that loses its power may keep rows that its log does not tell of. */
for (const flavor of availableFlavors()) {
  describe(`a crash while the binary log of ${flavor} is read`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(() => test.drop());

    /** @param crash ends the server; what follows starts it */
    const crashing = (crash: () => Promise<void>) => {
      let times = 0;
      return {
        beforeCutOver: async (): Promise<void> => {
          if (++times > 1) return;
          await crash();
          await server.start();
          await test.reconnect();
          await test.query("INSERT INTO emails (id, address) VALUES (5000, 'after the crash')");
        },
      };
    };

    it('carries on where every commit was written through', async () => {
      await test.query('SET GLOBAL sync_binlog = 1');
      const kill = (): Promise<void> => server.kill();
      await test.migrate(ADD_COLUMN, { ...BINLOG, verify: false, hooks: crashing(kill) });
      expect((await test.rows()).map(({ id }) => id)).to.include(5000);
      await expectNoLeaks(test);
    });

    it('says so where the end of it may be missing', async () => {
      await test.query('SET GLOBAL sync_binlog = 0');
      const kill = (): Promise<void> => server.kill();
      const error = await test.failure(ADD_COLUMN, { ...BINLOG, hooks: crashing(kill) });
      expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
      expect(error.message).to.include('sync_binlog = 0');
      expect(error.leftovers).to.deep.equal([]);
      await expectWritable(test);
    });

    it('says so in a second one, where the first left it written through no more', async () => {
      await test.query('SET GLOBAL sync_binlog = 1');
      let times = 0;
      const beforeCutOver = async (): Promise<void> => {
        if (++times > 1) return;
        for (let crashes = 0; crashes < 2; crashes++) {
          await server.kill();
          await server.start();
          await test.reconnect();
          await untilUpForLong(test);
          if (crashes === 0) await untilReadTo(test, 'UPDATE emails SET size = size + 1');
        }
      };
      const error = await test.failure(ADD_COLUMN, { ...BINLOG, hooks: { beforeCutOver } });
      expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
      expect(error.message).to.include('sync_binlog = 0');
    });

    it('says so where it was written through at first only', async () => {
      await test.query('SET GLOBAL sync_binlog = 1');
      const error = await test.failure(ADD_COLUMN, {
        ...BINLOG,
        hooks: {
          ...crashing(() => server.kill()),
          beforeRowCopy: () => test.query('SET GLOBAL sync_binlog = 0').then(() => undefined),
        },
      });
      expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
      expect(error.message).to.include('sync_binlog = 0');
    });

    for (const { crashes, it: does, ends } of [
      { crashes: 2, it: 'says so where nobody looked at the server', ends: true },
      { crashes: 1, it: 'carries on where the log was written through', ends: false },
    ]) {
      it(`${does} before crash ${crashes} of as many in a row`, async () => {
        await test.query('SET GLOBAL sync_binlog = 1');
        const gate = await Gate.start(server);
        const beforeCutOver = async (): Promise<void> => {
          gate.closed = true;
          gate.proxy.cut();
          for (let crash = 0; crash < crashes; crash++) {
            await server.kill();
            await server.start();
            await test.reconnect();
            await test.query(`INSERT INTO emails (address) VALUES ('after crash ${crash}')`);
            // What was written until then may be lost, and the setting does not show it any more.
            await test.query('SET GLOBAL sync_binlog = 1');
          }
          gate.closed = false;
        };
        let times = 0;
        const hooks = { beforeCutOver: () => (++times > 1 ? undefined : beforeCutOver()) };
        const options = { ...BINLOG, knex: test.makeKnex({}, gate.proxy.address), hooks };
        try {
          if (ends) {
            const error = await test.failure(ADD_COLUMN, options);
            expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
            expect(error.message).to.include('started anew several times');
          } else {
            await test.migrate(ADD_COLUMN, options);
            expect(await test.rows()).to.have.length(30 + crashes);
          }
        } finally {
          await gate.proxy.stop();
        }
      });
    }

    it('says so where the end of it is missing', async function () {
      const { folder } = server;
      if (folder === undefined) this.skip();
      await test.query('SET GLOBAL sync_binlog = 0');
      const lose = async (): Promise<void> => {
        const place = await endOfLog(test, flavor);
        await test.query("INSERT INTO emails (id, address) VALUES (4000, 'kept, and not in the log')");
        const [row] = await test.query<{ base: string }>('SELECT @@log_bin_basename AS base');
        await server.kill();
        await truncate(join(row!.base, '..', place.File), place.Position);
      };
      const error = await test.failure(ADD_COLUMN, { ...BINLOG, hooks: crashing(lose) });
      expect(['LHM_BINLOG_PURGED', 'LHM_CONNECTION_LOST']).to.include(error.code);
      expect(error.message).to.match(/shorter than it was|sync_binlog = 0/);
      expect(error.outcome).to.equal('rolled-back');
      expect(error.leftovers).to.deep.equal([]);
      await expectWritable(test);
    });

    it('says so where the log was begun anew', async () => {
      const reset = flavor === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER';
      await test.query(reset);
      const beforeCutOver = async (): Promise<void> => {
        await test.query(reset);
        // As far as it was before: a place in the old file is one in the new file.
        for (let i = 0; i < 200; i++) await test.query('UPDATE emails SET size = size + 1 WHERE id <= 30');
        await killLogReaders(test);
      };
      const error = await test.failure(ADD_COLUMN, { ...BINLOG, hooks: { beforeCutOver } });
      // Where the server was just reading it, that fails first.
      expect(['LHM_BINLOG_PURGED', 'LHM_BINLOG_UNREADABLE']).to.include(error.code);
      expect(error.hint).to.match(/RESET MASTER|lost the end of it/);
      expect(error.outcome).to.equal('rolled-back');
      await expectWritable(test);
    });

    it('says so where the log was begun anew and grows so slowly that its reader would wait for days', async () => {
      const many = 'SELECT REPEAT("x", 100) FROM emails a, emails b, emails c LIMIT 10000';
      await test.query(`INSERT INTO emails (address) ${many}`);
      const beforeCutOver = async (): Promise<void> => {
        await test.query(flavor === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
      };
      const error = await test.failure(ADD_COLUMN, { ...BINLOG, hooks: { beforeCutOver } });
      expect(error).to.include({ code: 'LHM_BINLOG_PURGED', outcome: 'rolled-back' });
      expect(error.message).to.match(/begun its binary log anew|shorter than it was/);
      expect(error.leftovers).to.deep.equal([]);
      await expectWritable(test);
    });

    it('says so where the log was begun anew and has gone on in a file that is read', async () => {
      const mysql = flavor === 'mysql';
      await test.query('SET GLOBAL sync_binlog = 1');
      await test.query(mysql ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
      const beforeCutOver = async (): Promise<void> => {
        await test.query(mysql ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
        // Who holds the old file open goes on with the second.
        await test.query("UPDATE emails SET note = 'in the new first file' WHERE id = 3");
        await test.query('FLUSH BINARY LOGS');
      };
      const error = await test.failure(ADD_COLUMN, { ...BINLOG, hooks: { beforeCutOver } });
      expect(error).to.include({ code: 'LHM_BINLOG_PURGED', outcome: 'rolled-back' });
      expect(error.message).to.include('begun its binary log anew');
      expect(error.leftovers).to.deep.equal([]);
      await expectWritable(test);
    });

    it('says so where the log was begun anew while its reader was a file behind', async () => {
      const mysql = flavor === 'mysql';
      const reset = mysql ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER';
      await test.query('SET GLOBAL sync_binlog = 1');
      await test.query('CREATE TABLE other (id INT PRIMARY KEY AUTO_INCREMENT, bulk LONGBLOB)');
      await test.query(reset);
      const looks = keptBack(test.knex, /^SHOW (BINARY LOG|MASTER) STATUS/);
      const holder = await createConnection({ ...server.connection, database: test.database });
      const beforeCutOver = async (): Promise<void> => {
        // How far the log was read cannot be written down, so nothing is read on; and the server cannot send what nobody reads.
        await holder.query('START TRANSACTION');
        await holder.query(`SELECT position FROM ${await changelogOf(test)} WHERE id = 2 FOR UPDATE`);
        await test.query('UPDATE emails SET size = size + 1');
        for (let i = 0; i < 12; i++)
          await test.query("INSERT INTO other (bulk) VALUES (REPEAT('x', 8000000))");
        await test.query('FLUSH BINARY LOGS');
        await test.query("UPDATE emails SET note = 'in the old second file' WHERE id = 3");
        await nextMarks(test, 2);
        // Whoever asks just now how far the log goes would see that it is shorter than it was.
        looks.hold();
        await test.query(reset);
        await test.query('FLUSH BINARY LOGS');
        looks.free();
        await holder.query('ROLLBACK');
      };
      try {
        const error = await test.failure(ADD_COLUMN, { ...BINLOG, hooks: { beforeCutOver } });
        expect(error).to.include({ code: 'LHM_BINLOG_PURGED', outcome: 'rolled-back' });
        expect(error.message).to.include('was not read');
        expect(error.leftovers).to.deep.equal([]);
        await expectWritable(test);
      } finally {
        await holder.end();
      }
    });

    it('takes no old change for a late one when its reader is lost just before the swap', async () => {
      await untilUpForLong(test);
      // Their keys are written under the lock, where how far the log was read cannot be.
      const last = async (): Promise<void> => {
        await test.query('UPDATE emails SET size = size + 1');
      };
      const changed = intercept(test.knex, { match: /^LOCK TABLES .*_lhmn/, when: 'before', run: last });
      const kill = async (): Promise<void> => {
        expect(await killLogReaders(test)).to.equal(1);
      };
      const lost = intercept(test.knex, { match: /^RENAME TABLE/, when: 'before', run: kill });
      await test.migrate(ADD_COLUMN, BINLOG);
      expect(lost.happened).to.equal(true);
      expect(changed.happened).to.equal(true);
      await expectNoLeaks(test);
    });

    it('takes no old change for a late one when the server crashes before its reader has come to the swap', async () => {
      await test.query('SET GLOBAL sync_binlog = 1');
      await untilUpForLong(test);
      const gate = await Gate.start(server);
      const knex = test.makeKnex({}, gate.proxy.address);
      const last = async (): Promise<void> => {
        await test.query('UPDATE emails SET size = size + 1');
      };
      intercept(knex, { match: /^LOCK TABLES .*_lhmn/, when: 'before', run: last });
      const blind = async (): Promise<void> => {
        gate.closed = true;
        expect(await killLogReaders(test)).to.equal(1);
      };
      intercept(knex, { match: /^RENAME TABLE/, when: 'before', run: blind });
      const crash = async (): Promise<void> => {
        await server.kill();
        await server.start();
        await test.reconnect();
        gate.closed = false;
      };
      const swapped = intercept(knex, { match: /^RENAME TABLE/, when: 'after', run: crash });
      const events = new EventEmitter();
      const warnings: string[] = [];
      events.on('warning', ({ message }: { message: string }) => warnings.push(message));
      try {
        await test.migrate(ADD_COLUMN, { ...BINLOG, knex, events });
        expect(swapped.happened).to.equal(true);
        expect(warnings.filter((message) => message.startsWith('Nobody knows whether'))).to.have.length(1);
        await expectNoLeaks(test);
      } finally {
        await gate.proxy.stop();
      }
    });
  });
}

/** Leads to the server, whose connections of before stay, unless it is closed. */
class Gate {
  closed = false;

  private constructor(readonly proxy: ConnectionProxy) {}

  static async start(server: RunningServer): Promise<Gate> {
    const link = balance(() => server.connection);
    const gate: Gate = new Gate(
      await ConnectionProxy.start((client, number) => {
        if (!gate.closed) return link(client, number);
        client.destroy();
        return [];
      }),
    );
    return gate;
  }
}

/** Resolves when the migration has read a change that is made now. */
async function untilReadTo(test: TestTable, change: string): Promise<void> {
  await test.query(change);
  const { File } = await endOfLog(test, test.server.flavor);
  const read = async (): Promise<boolean> => (await placeWrittenDown(test))?.includes(File) === true;
  await until(`a change in ${File} that is read`, async () => (await read()) || undefined);
}

/** Until its next start can be told from this one. */
async function untilUpForLong(test: TestTable): Promise<void> {
  const upFor = async (): Promise<number> =>
    Number((await test.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Uptime'"))[0]?.Value);
  await until('a server that has been up', async () => ((await upFor()) > 4 ? true : undefined));
}
