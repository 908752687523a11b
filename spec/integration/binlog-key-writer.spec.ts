import { expect } from 'chai';
import type { QueryError } from 'mysql2';

import type { BinlogPosition } from '../../lib/binlog/binlog-position';
import { placeWrittenDown } from '../support/binlog/changelog';
import { endOfLog, killLogReaders } from '../support/binlog/server-log';
import { createAccount, NEEDED } from '../support/account';
import { lost } from '../faults/fail-once';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTruthfulLeftovers, expectWritable } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { aroundQueries } from '../support/test-table-statements';

const INTO_JOURNAL = /^INSERT INTO \S+_lhmj/;

const BINLOG = { mode: 'binlog', chunk: { rows: 7 }, reconnectMs: 60_000 } as const;

/** Keys of changes, on their way from the log to the journal. */
for (const flavor of availableFlavors()) {
  describe(`the keys of changes that were read in the log of ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let changed: boolean;

    before(async () => (server = await startServer(flavor, { mode: 'binlog' })));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      changed = false;
    });
    afterEach(async () => {
      await writable();
      await test.drop();
    });

    const writable = (): Promise<unknown> => test.query('SET GLOBAL read_only = 0');

    const change = async (): Promise<void> => {
      changed = true;
      await test.query("UPDATE emails SET note = 'while they are migrated' WHERE id = 3");
    };

    /** Does it before the first attempt to swap. */
    const atFirst = (run: () => Promise<unknown>) => {
      let times = 0;
      return {
        beforeCutOver: async (): Promise<void> => {
          if (++times === 1) await run();
        },
      };
    };

    async function expectSwapped(): Promise<void> {
      expect(await test.definition()).to.contain('`extra`');
      expect((await test.rows()).find(({ id }) => id === 3)).to.include({ note: 'while they are migrated' });
      await expectNoLeaks(test);
    }

    /** The server becomes read-only after the change, and before its key is written down. */
    async function readOnly() {
      const { knex } = await createAccount(test, NEEDED, ['PROCESS']);
      const state = { happened: false };
      aroundQueries(knex, (query) => (sql, values, callback) => {
        if (state.happened || !changed || !INTO_JOURNAL.test(sql)) return query(sql, values, callback);
        state.happened = true;
        return void test.query('SET GLOBAL read_only = 1').then(() => {
          query(sql, values, callback);
        });
      });
      return { knex, state };
    }

    it('wait while the server is read-only for a moment', async () => {
      const { knex, state } = await readOnly();
      let back: Promise<unknown> | undefined;
      await test.migrate(ADD_COLUMN, {
        ...{ ...BINLOG, knex, hooks: atFirst(change) },
        progress: ({ waitingFor }) => {
          if (/read-only/.test(waitingFor ?? '')) back ??= writable();
        },
      });
      await back;
      expect(state.happened).to.equal(true);
      await expectSwapped();
    });

    it('are given up where it stays read-only', async () => {
      const { knex, state } = await readOnly();
      const rows = await test.rows();
      const error = await test.failure(ADD_COLUMN, {
        ...BINLOG,
        reconnectMs: 500,
        knex,
        hooks: atFirst(change),
      });
      expect(state.happened).to.equal(true);
      expect(error).to.include({ code: 'LHM_READ_ONLY', outcome: 'rolled-back' });
      await writable();
      const [was, is] = [rows, await test.rows()].map((all) => all.filter(({ id }) => id !== 3));
      expect(is).to.deep.equal(was);
      await expectTruthfulLeftovers(test, error);
      await expectWritable(test);
    });

    it('hold up nobody at the lock where their connection does not answer', async () => {
      const knex = test.makeKnex();
      let silent: ((error: QueryError) => void) | undefined;
      let written: Promise<unknown> | undefined;
      aroundQueries(knex, (query) => (sql, values, callback) => {
        if (INTO_JOURNAL.test(sql) && changed && silent === undefined) {
          // As behind a firewall that has forgotten the connection: the server never gets it, and nobody is told.
          silent = callback;
          return undefined;
        }
        if (!/^LOCK TABLES .*_lhmn/.test(sql) || silent !== undefined) return query(sql, values, callback);
        return void change()
          .then(() => until('the key to be sent', () => Promise.resolve(silent !== undefined || undefined)))
          .then(() => {
            query(sql, values, (...answer) => {
              written = other();
              callback(...answer);
            });
          });
      });
      /** Waits for the lock, and so ends only when that does. */
      const other = async (): Promise<void> => {
        const connection = await test.connect();
        await connection.query("UPDATE emails SET note = 'after the lock' WHERE id = 5");
        silent?.(lost());
      };
      await test.migrate(ADD_COLUMN, {
        ...{ ...BINLOG, knex, verify: false },
        cutOver: {
          strategy: flavor === 'mysql' ? 'rename-under-lock' : 'sentry',
          ...{ drainBudgetMs: 500, backoffMs: 10, backoffMaxMs: 20 },
        },
      });
      await written;
      await expectSwapped();
      expect((await test.rows()).find(({ id }) => id === 5)).to.include({ note: 'after the lock' });
    });

    it('keep nobody from stopping where their connection does not answer', async () => {
      const knex = test.makeKnex();
      const stop = new AbortController();
      aroundQueries(knex, (query) => (sql, values, callback) => {
        if (stop.signal.aborted || !changed || !INTO_JOURNAL.test(sql)) return query(sql, values, callback);
        stop.abort();
        return undefined;
      });
      const { signal } = stop;
      const error = await test.failure(ADD_COLUMN, { ...BINLOG, knex, signal, hooks: atFirst(change) });
      expect(error).to.include({ code: 'LHM_INTERRUPTED', outcome: 'rolled-back' });
      expect(error.leftovers).to.deep.equal([]);
      await expectWritable(test);
      await expectNoLeaks(test);
    });

    it('are read on from where the log was read up to, also on a table that nobody changes, and after a restart', async () => {
      const rows = await test.rows();
      await test.query('CREATE TABLE others (id INT PRIMARY KEY)');
      const quiet = async (): Promise<void> => {
        const written = async (): Promise<void> => {
          const { File, Position } = await endOfLog(test, flavor);
          await until('the place to be written down', async () => {
            const { file, offset } = JSON.parse(
              (await placeWrittenDown(test)) ?? '{}',
            ) as Partial<BinlogPosition>;
            return (file === File && Number(offset) >= Position) || undefined;
          });
        };
        // What others have prepared before a place and commit behind it is nothing that is not known.
        const others = await test.connect();
        const prepared = [
          "XA START 'theirs'",
          'INSERT INTO others VALUES (1)',
          "XA END 'theirs'",
          "XA PREPARE 'theirs'",
        ];
        for (const sql of prepared) await others.query(sql);
        await written();
        await others.query("XA COMMIT 'theirs'");
        await server.restart();
        await test.reconnect();
        await written();
        await test.query(`PURGE BINARY LOGS TO '${(await endOfLog(test, flavor)).File}'`);
        await killLogReaders(test);
        await change();
      };
      await test.migrate(ADD_COLUMN, { ...BINLOG, hooks: atFirst(quiet) });
      expect(without(await test.rows(), 'extra')).to.have.length(rows.length);
      await expectSwapped();
    });
  });
}
