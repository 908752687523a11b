import { expect } from 'chai';

import type { MigrationResult, LargeHadronError } from '../../lib';
import { killLogReaders } from '../support/binlog/server-log';
import { expectNoLeaks } from '../support/leak-guard';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

for (const flavor of availableFlavors()) {
  describe(`XA transactions and the binary log of ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let xid: string;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      xid = `'lhm-${test.database}'`;
    });
    afterEach(async () => {
      await test.query(`XA ROLLBACK ${xid}`).catch(() => undefined);
      await test.drop();
    });

    /** Changes rows and leaves them to nobody. The connection ends, so that another one may end the transaction. */
    async function prepare(change = "UPDATE emails SET note = 'xa' WHERE id IN (3, 29)"): Promise<void> {
      const client = await test.connect();
      for (const sql of [`XA START ${xid}`, change, `XA END ${xid}`, `XA PREPARE ${xid}`])
        await client.query(sql);
      client.destroy();
    }

    /** By whichever connection; the one that prepared it may not be gone yet. */
    async function end(verb: 'COMMIT' | 'ROLLBACK'): Promise<void> {
      for (let attempt = 1; ; attempt++) {
        const error: unknown = await test.query(`XA ${verb} ${xid}`).then(
          () => null,
          (reason: unknown) => reason,
        );
        if (error === null) return;
        if (attempt >= 100) throw new Error(`XA ${verb} fails`, { cause: error });
        await test.query('DO SLEEP(0.05)');
      }
    }

    async function restart(): Promise<void> {
      await server.restart();
      await test.reconnect();
    }

    const options = (more: Options = {}): Options => ({
      ...{ mode: 'binlog', reconnectMs: 60_000, giveUpAfterMs: 60_000 },
      // Older views would be waited for as well, and a transaction that is in doubt counts as one.
      cutOver: { lockTimeoutMs: 1000, backoffMs: 10, oldReadViews: 'ignore' },
      ...more,
    });

    /** Does something once the swap waits: its request for the lock, or an attempt that was put off. */
    function whenSwapWaits(run: () => Promise<unknown>): Options & { waited: string[] } {
      const waited: string[] = [];
      let done: Promise<unknown> | null = null;
      const now = (why: string): void => {
        waited.push(why);
        done ??= run().catch((error: unknown) => waited.push(String(error)));
      };
      const look = async (): Promise<void> => {
        await until('the swap to wait', async () => {
          if (done !== null) return true;
          const list = await test.query<{ Info: string | null; State: string | null }>('SHOW PROCESSLIST');
          const waits = list.some(
            ({ Info, State }) => /^LOCK TABLES/.test(Info ?? '') && /metadata/.test(State ?? ''),
          );
          if (waits) now('LOCK TABLES');
          return waits ? true : undefined;
        });
      };
      intercept(test.knex, {
        match: /^LOCK TABLES .*_lhmn/,
        when: 'before',
        run: () => {
          look().catch(() => undefined);
          return Promise.resolve();
        },
      });
      const progress = ({ waitingFor }: { waitingFor: string | null }): void => {
        if (waitingFor !== null) now(waitingFor);
      };
      return { progress, waited };
    }

    async function expectSame(result: MigrationResult, notes: string | null): Promise<void> {
      const rows = without(await test.rows(), 'extra');
      expect(rows).to.deep.equal(await test.rows(result.oldTable!));
      for (const id of [3, 29]) expect(rows[id - 1]?.['note'] === 'xa').to.equal(notes === 'xa');
      await expectNoLeaks(test);
    }

    for (const [verb, notes] of [
      ['COMMIT', 'xa'],
      ['ROLLBACK', null],
    ] as const) {
      it(`prepared and ended by ${verb} while rows are copied`, async () => {
        const hooks = { beforeRowCopy: () => prepare(), afterRowCopy: () => end(verb) };
        await expectSame(await test.migrate(ADD_COLUMN, options({ hooks, verify: false })), notes);
      });

      // What is waited for is the same, whatever its end.
      if (verb === 'ROLLBACK') continue;

      it(`prepared while rows are copied, ended by ${verb} when the swap waits`, async () => {
        const { waited, ...more } = whenSwapWaits(() => end(verb));
        const hooks = { beforeCutOver: () => prepare() };
        await expectSame(await test.migrate(ADD_COLUMN, options({ ...more, hooks })), notes);
        expect(waited).to.have.length.above(0);
      });

      it(`prepared while rows are copied, then the server is started anew, ended by ${verb} when the swap waits`, async () => {
        const { waited, ...more } = whenSwapWaits(() => end(verb));
        const hooks = {
          beforeCutOver: async (): Promise<void> => {
            await prepare();
            await restart();
          },
        };
        await expectSame(await test.migrate(ADD_COLUMN, options({ ...more, hooks })), notes);
        expect(waited).to.have.length.above(0);
      });
    }

    it('from before the migration and before a start of the server: nothing is swapped before it is over', async () => {
      await prepare();
      await restart();
      const { waited, ...more } = whenSwapWaits(() => end('ROLLBACK'));
      // Without it InnoDB's lock on the table is not asked for, which such a transaction holds on MariaDB, too.
      await test.withGlobal('innodb_table_locks', '0', async () => {
        await expectSame(await test.migrate(ADD_COLUMN, options(more)), null);
      });
      expect(waited).to.have.length.above(0);
    });

    it('from before the migration and before a start of the server, committed: not swapped', async () => {
      await prepare();
      await restart();
      const { waited, ...more } = whenSwapWaits(() => end('COMMIT'));
      const error: LargeHadronError = await test.failure(ADD_COLUMN, options(more));
      expect(error).to.include({ code: 'LHM_BINLOG_XA', outcome: 'rolled-back' });
      expect(waited).to.have.length.above(0);
      expect((await test.rows())[2]).to.include({ note: 'xa' });
      await expectNoLeaks(test);
    });

    it('of another table: not waited for, and its end is known after the log was read anew', async () => {
      await test.query('CREATE TABLE other (id INT PRIMARY KEY)');
      const beforeRowCopy = (): Promise<void> => prepare('INSERT INTO other VALUES (1)');
      const afterRowCopy = async (): Promise<void> => {
        await test.query('UPDATE emails SET size = 1 WHERE id = 1');
        await test.query('UPDATE emails SET size = 2 WHERE id = 2');
      };
      const beforeCutOver = async (): Promise<void> => {
        await killLogReaders(test);
        await end('COMMIT');
      };
      const result = await test.migrate(
        ADD_COLUMN,
        options({ hooks: { beforeRowCopy, afterRowCopy, beforeCutOver } }),
      );
      expect(await test.query('SELECT id FROM other')).to.deep.equal([{ id: 1 }]);
      await test.query('DROP TABLE other');
      await expectSame(result, null);
    });
  });
}
