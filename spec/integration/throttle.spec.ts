import { expect } from 'chai';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ThrottleOptions } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { createAccount } from '../support/account';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { Operated } from '../support/operated';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';

const ROWS = 100;

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`what a migration makes way for on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server, { rows: ROWS });
      was = { definition: await test.definition(), rows: await test.rows() };
    });
    afterEach(() => test.drop());

    const begin = (throttle: ThrottleOptions, options: Options = {}): Promise<Operated> =>
      Operated.begin(test, ADD_COLUMN, {
        chunk: { rows: 2, pauseMs: 10 },
        throttle: { intervalMs: 20, ...throttle },
        ...options,
      });

    const someRows = (run: Operated): Promise<unknown> =>
      run.until('some rows', ({ rowsCopied }) => rowsCopied >= 4);

    /** It holds, not a row is copied in several looks at the throttle, and the reason is told. */
    async function expectHeld(run: Operated, reason: RegExp): Promise<void> {
      const { rowsCopied, throttled } = await run.until('the hold', (now) =>
        reason.test(now.throttled ?? ''),
      );
      expect(rowsCopied, throttled ?? '').to.be.below(ROWS);
      const already = run.seen.length;
      await run.until('some looks', () => run.seen.length >= already + 2);
      for (const now of run.seen.slice(already)) {
        expect(now.throttled).to.match(reason);
        expect(now.rowsCopied).to.equal(rowsCopied);
      }
    }

    async function expectGoneOn(run: Operated): Promise<void> {
      const result = await run.result();
      expect(result.rowsCopied).to.equal(ROWS);
      expect(result.verified.notCompared).to.equal(0);
      expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
      expect(run.seen.at(-1)).to.include({ throttled: null, waitingFor: null });
      await expectNoLeaks(test);
    }

    /** Connections that keep threads of the server running; there beforehand, because the copy does not wait for logins. */
    async function sleepers(count: number): Promise<{ sleep: () => void; wake: () => Promise<void> }> {
      const clients = await Promise.all(Array.from({ length: count }, () => test.connect()));
      return {
        sleep: () => {
          for (const client of clients) client.query('SELECT SLEEP(60)').catch(() => undefined);
        },
        wake: async () => {
          for (const { threadId } of clients) await test.query(`KILL QUERY ${threadId}`);
        },
      };
    }

    it('holds above maxLoad, and goes on below', async () => {
      const { sleep, wake } = await sleepers(20);
      const run = await begin({ maxLoad: { threads_running: 14 } });
      await someRows(run);
      sleep();
      await expectHeld(run, /threads_running is \d+, above 14 \(throttle\.maxLoad\)/);
      await wake();
      await expectGoneOn(run);
    });

    itOnce('stops above criticalLoad, with the table as it was', async () => {
      const { sleep, wake } = await sleepers(20);
      const run = await begin({ criticalLoad: { Threads_running: 14 } });
      await someRows(run);
      sleep();
      const error = await run.failure();
      await wake();
      expect(error.message).to.match(/Threads_running is \d+, above 14 \(throttle\.criticalLoad\)/);
      await expectTakenBack(test, error, was, { code: 'LHM_CRITICAL_LOAD', phase: 'copy' });
    });

    itOnce('looks again before it stops where that is wanted', async () => {
      const { sleep, wake } = await sleepers(20);
      const run = await begin({ criticalLoad: { Threads_running: 14 }, criticalLoadIntervalMs: 5000 });
      await someRows(run);
      sleep();
      await expectHeld(run, /above 14 .*; stopping if it still is in \d+ ms/);
      await wake();
      await until('rows', () => (run.seen.at(-1)?.throttled === null ? true : undefined));
      sleep();
      const error = await run.failure();
      await wake();
      await expectTakenBack(test, error, was, { code: 'LHM_CRITICAL_LOAD', phase: 'copy' });
    });

    itOnce('hibernates above criticalLoad where that is wanted', async () => {
      const { sleep, wake } = await sleepers(20);
      const run = await begin({ criticalLoad: { Threads_running: 14 }, criticalLoadHibernateMs: 1000 });
      await someRows(run);
      sleep();
      await expectHeld(run, /above 14 .*hibernating for \d+ s/);
      await wake();
      await expectGoneOn(run);
    });

    itOnce('hibernates no longer once the operator has changed what it hibernates for', async () => {
      const { sleep, wake } = await sleepers(20);
      const run = await begin({ criticalLoad: { Threads_running: 14 }, criticalLoadHibernateMs: 3_600_000 });
      await someRows(run);
      sleep();
      await expectHeld(run, /above 14 .*hibernating for \d{4} s/);
      run.operator.settings.set('throttle.criticalLoadHibernateMs', '60000');
      await expectHeld(run, /above 14 .*hibernating for \d{2} s/);
      run.operator.settings.set('throttle.criticalLoad', 'Threads_running=1000');
      await run.until('it goes on', ({ throttled }) => throttled === null);
      await wake();
      await expectGoneOn(run);
    });

    itOnce('does not stop for the load that an attempt at the swap causes', async () => {
      const blocker = await test.connect();
      const clients = await Promise.all(Array.from({ length: 20 }, () => test.connect()));
      const hooks = {
        beforeCutOver: async (): Promise<void> => {
          await blocker.query('BEGIN');
          await blocker.query('SELECT * FROM emails LIMIT 1');
        },
      };
      let asked = 0;
      const sources = [(): null => (asked++, null)];
      // One attempt, which waits for as long as it takes here.
      const cutOver = { lockTimeoutMs: 30_000 };
      const options = { hooks, cutOver, chunk: {}, giveUpAfterMs: false } as const;
      const run = await begin({ criticalLoad: { Threads_running: 14 }, sources }, options);
      await until('the lock to be waited for', async () => {
        const list = await test.query<{ State: string | null }>('SHOW PROCESSLIST');
        return list.some(({ State }) => /metadata lock/.test(State ?? '')) ? true : undefined;
      });
      const writes = clients.map((client) =>
        client.query("UPDATE emails SET note = 'meanwhile' WHERE id = 1"),
      );
      await until('many threads', async () => {
        const [row] = await test.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Threads_running'");
        return Number(row!.Value) > 20 ? true : undefined;
      });
      const before = asked;
      await until('the load to be looked at', () => (asked >= before + 5 ? true : undefined));
      await blocker.query('COMMIT');
      await Promise.all(writes);
      const result = await run.result();
      expect(result.cutOver.attempts).to.equal(1);
      was = { ...was, rows: without(await test.rows(), 'extra') };
      await expectGoneOn(run);
    });

    itOnce("holds while InnoDB's history list is long", async () => {
      const historyLength = async (): Promise<number> => {
        const [metric] = await test.query<{ Value: string }>(
          flavor === 'mariadb'
            ? "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'"
            : "SELECT `COUNT` AS Value FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'",
        );
        return Number(metric!.Value);
      };
      const reader = await test.connect();
      const writer = await test.connect();
      // By default what is purged is taken off the list after 128 batches: most of a minute on an idle server.
      await test.query('SET GLOBAL innodb_purge_rseg_truncate_frequency = 1');
      const maxHistoryLength = (await historyLength()) + 60;
      const run = await begin({ maxHistoryLength });
      await someRows(run);
      // What was counted before may be purged meanwhile: the copy waits until the list is long for certain.
      run.operator.pause();
      await reader.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      for (let i = 0; (await historyLength()) <= maxHistoryLength + 20; i++) {
        expect(i, 'statements').to.be.below(5000);
        await writer.query(`UPDATE emails SET size = ${i} WHERE id = ${ROWS}`);
      }
      run.operator.continue();
      await expectHeld(run, /history list is \d+, above \d+ \(throttle\.maxHistoryLength\)/);
      await reader.query('COMMIT');
      was = { ...was, rows: await test.rows() };
      await expectGoneOn(run);
      await test.query('SET GLOBAL innodb_purge_rseg_truncate_frequency = 128');
    });

    itOnce('refuses a status variable that the server does not have', async () => {
      for (const throttle of [{ maxLoad: { Thread_running: 5 } }, { criticalLoad: { Thread_running: 5 } }])
        await expectRefused(
          test,
          {
            code: 'LHM_BAD_OPTION',
            says: /no status variable 'Thread_running'/,
            hints: /SHOW GLOBAL STATUS/,
          },
          () => test.failure(ADD_COLUMN, { throttle }),
        );
    });

    if (flavor === 'mysql') {
      itOnce(
        'refuses maxHistoryLength where the account may not see it, and does without by default',
        async () => {
          const { knex, grantee } = await createAccount(test);
          const options: Options = { knex, blindSpots: 'accept', preset: 'production' };
          await test.withGlobal('log_bin_trust_function_creators', '1', async () => {
            const error = await expectRefused(
              test,
              { code: 'LHM_MISSING_PRIVILEGE', says: /history list/, hints: /GRANT PROCESS ON/ },
              () => test.failure(ADD_COLUMN, { ...options, throttle: { maxHistoryLength: 1000 } }),
            );
            expect(error.hint.replaceAll('`', "'")).to.contain(grantee);
            await test.migrate(ADD_COLUMN, options);
          });
        },
      );
    }

    itOnce('holds for a query that returns more than 0, NULL, nothing or an error', async () => {
      const locker = await test.connect();
      const run = await begin({ query: `SELECT IS_USED_LOCK('${test.database}') IS NOT NULL` });
      await someRows(run);
      await locker.query(`SELECT GET_LOCK('${test.database}', 0)`);
      await expectHeld(run, /throttle\.query, which returned 1/);
      const { settings } = run.operator;
      settings.set('throttle.query', 'SELECT NULL');
      await expectHeld(run, /throttle\.query, which returned NULL/);
      settings.set('throttle.query', 'SELECT 1 FROM emails WHERE id = -1');
      await expectHeld(run, /throttle\.query, which returned no row/);
      settings.set('throttle.query', "SELECT 'much'");
      await expectHeld(run, /throttle\.query, which returned no number/);
      settings.set('throttle.query', "SELECT ' '");
      await expectHeld(run, /throttle\.query, which returned no number/);
      // The driver would put the second first.
      settings.set('throttle.query', 'SELECT 5, 0');
      await expectHeld(run, /throttle\.query, which returned 5/);
      settings.set('throttle.query', 'SELECT 5 AS a, 0 AS a');
      await expectHeld(run, /throttle\.query, which returned two columns 'a'/);
      settings.set('throttle.query', 'SET @a = 1');
      await expectHeld(run, /throttle\.query, which returned no rows/);
      // Nobody waits for what such a one has locked.
      settings.set('throttle.query', 'LOCK TABLES emails WRITE');
      await expectHeld(run, /throttle\.query, which returned no rows/);
      settings.set('throttle.query', 'SELECT 1');
      await expectHeld(run, /throttle\.query, which returned 1/);
      await locker.query('SET SESSION lock_wait_timeout = 1');
      await locker.query('UPDATE emails SET note = note WHERE id = 1');
      settings.set('throttle.query', 'SELECT 0 FROM nothing');
      await expectHeld(run, /throttle\.query, which cannot be asked: .*nothing/);
      settings.set('throttle.query', `SELECT 0`);
      await expectGoneOn(run);
    });

    itOnce('asks again on another connection when its own was lost', async () => {
      const run = await begin({ query: "SELECT SLEEP(1) - 1 AS 'the throttle'" });
      await someRows(run);
      const lost = await until('the query', async () => {
        const list = await test.query<{ Id: number; Info: string | null }>('SHOW FULL PROCESSLIST');
        return list.find(({ Info }) => /the throttle/.test(Info ?? ''))?.Id;
      });
      await test.query(`KILL ${lost}`);
      await run.until('the hold', ({ throttled }) => /throttle\.query, which/.test(throttled ?? ''));
      await expectGoneOn(run);
    });

    itOnce('holds for a URL that answers anything but 200, or nothing', async () => {
      let status = 200;
      const asked: string[] = [];
      const web = createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        response.statusCode = status;
        response.end();
      });
      await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
      try {
        const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/lhm?token=secret`;
        const run = await begin({ http: url });
        await someRows(run);
        status = 429;
        await expectHeld(run, /throttle\.http \(http:\/\/127\.0\.0\.1:\d+\/lhm\), which answered 429/);
        run.operator.settings.set('throttle.http', 'http://127.0.0.1:1/');
        await expectHeld(run, /throttle\.http .*, which cannot be asked: .*ECONNREFUSED/);
        status = 200;
        run.operator.settings.set('throttle.http', url);
        await expectGoneOn(run);
        expect(new Set(asked)).to.deep.equal(new Set(['HEAD /lhm?token=secret']));
      } finally {
        web.closeAllConnections();
        await new Promise((resolve) => web.close(resolve));
      }
    });

    itOnce('holds for as long as a flag file is there', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lhm-throttle-'));
      try {
        const [one, all] = [join(folder, 'one'), join(folder, 'all')];
        await writeFile(all, '');
        const run = await begin({ flagFile: one, additionalFlagFile: all });
        await expectHeld(run, /the file '.*all' \(throttle\.additionalFlagFile\)/);
        await rm(all);
        await someRows(run);
        await writeFile(one, '');
        await expectHeld(run, /the file '.*one' \(throttle\.flagFile\)/);
        await rm(one);
        await expectGoneOn(run);
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    itOnce('holds for a flag that is a directory or a link, or that cannot be looked for', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lhm-throttle-'));
      try {
        const [link, other] = [join(folder, 'link'), join(folder, 'other')];
        await mkdir(join(folder, 'folder'));
        await symlink('folder', link);
        const flag = join(link, 'flag');
        const run = await begin({ flagFile: flag });
        await someRows(run);
        for (const make of [() => mkdir(flag), () => symlink('nowhere', flag)]) {
          await make();
          await expectHeld(run, /the file '.*flag' \(throttle\.flagFile\)$/);
          await rm(flag, { recursive: true });
          await run.until('the end of the hold', ({ throttled }) => throttled === null);
        }
        await writeFile(join(folder, 'file'), '');
        await symlink('file', other);
        await rename(other, link);
        await expectHeld(run, /flag' \(throttle\.flagFile\), which cannot be asked: ENOTDIR/);
        await rm(link);
        await expectGoneOn(run);
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    itOnce('refuses flag files that cannot be looked for, all at once', async () => {
      const throttle = { flagFile: '/dev/null/one', additionalFlagFile: '/dev/null/all' };
      const problems = ['LHM_BAD_OPTION', 'LHM_BAD_OPTION'];
      const error = await expectRefused(test, { code: 'LHM_PREFLIGHT', problems }, () =>
        test.failure(ADD_COLUMN, { throttle }),
      );
      for (const name of ['flagFile', 'additionalFlagFile'])
        expect(error.message).to.match(new RegExp(`\\(throttle\\.${name}\\) cannot be looked for: ENOTDIR`));
    });

    itOnce("holds for the caller's own functions, and when they fail", async () => {
      let answer: () => unknown = () => null;
      const weather = (): never => answer() as never;
      const run = await begin({ sources: [weather, () => null] });
      await someRows(run);
      answer = () => 'it rains';
      await expectHeld(run, /^it rains$/);
      answer = () => {
        throw new Error('no barometer');
      };
      await expectHeld(run, /throttle\.sources\[0\] \(weather\), which cannot be asked: no barometer/);
      answer = () => true;
      await expectHeld(run, /throttle\.sources\[0\] \(weather\), which returned true/);
      answer = () => Promise.resolve({ kind: 'hold', reason: 'it snows' });
      await expectHeld(run, /^it snows$/);
      answer = () => null;
      await expectGoneOn(run);
    });

    itOnce('holds while one does not answer, until it does', async () => {
      let hang = false;
      const hanging: (() => void)[] = [];
      const web = createServer((_, response) => {
        if (hang) hanging.push(() => response.end());
        else response.end();
      });
      await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
      const mine = (): Promise<null> | null =>
        hang ? new Promise((resolve) => hanging.push(() => resolve(null))) : null;
      try {
        const http = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`;
        // Slow enough not to be done before.
        const run = await begin(
          { query: 'SELECT 0', http, sources: [mine] },
          { chunk: { rows: 1, pauseMs: 80 } },
        );
        await someRows(run);
        hang = true;
        run.operator.settings.set('throttle.query', 'SELECT SLEEP(30)');
        await expectHeld(run, /throttle\.query, which does not answer/);
        run.operator.settings.set('throttle.query', 'SELECT 0');
        await expectHeld(run, /throttle\.http .*, which does not answer/);
        run.operator.settings.set('throttle.http', 'off');
        await expectHeld(run, /throttle\.sources\[0\] \(mine\), which does not answer/);
        hang = false;
        run.operator.settings.set('chunk.pauseMs', '0');
        run.operator.settings.set('chunk.rows', '50');
        for (const answer of hanging) answer();
        await expectGoneOn(run);
      } finally {
        web.closeAllConnections();
        await new Promise((resolve) => web.close(resolve));
      }
    });

    itOnce('closes what a source of the caller has open', async () => {
      let closed = 0;
      const source = {
        name: 'mine',
        check: () => Promise.resolve({ kind: 'clear' as const }),
        close: () => ((closed += 1), Promise.resolve()),
      };
      await expectGoneOn(await begin({ sources: [source] }));
      expect(closed).to.equal(1);
    });

    it('carries on when all of its connections are lost, those of the throttle included', async () => {
      const run = await begin({ query: 'SELECT 0', maxHistoryLength: 1_000_000 }, { preset: 'production' });
      await someRows(run);
      const lost = await migrationConnections(test);
      // The observer, the work, the figures of the server and the query.
      expect(lost.length).to.be.at.least(4);
      for (const { Id } of lost) await test.query(`KILL ${Id}`);
      await expectGoneOn(run);
    });

    itOnce('rests after each chunk by niceRatio', async () => {
      const run = await begin({ niceRatio: 100 }, { chunk: { rows: 1 }, mode: 'triggers' });
      await run.until('a chunk', ({ rowsCopied }) => rowsCopied > 0);
      // It rests far longer than it copies: looks follow each other without a row more.
      await until('a rest', () => {
        const { rowsCopied } = run.seen.at(-1)!;
        return run.seen.slice(-5).every((now) => now.phase === 'copy' && now.rowsCopied === rowsCopied)
          ? true
          : undefined;
      });
      await test.query("UPDATE emails SET note = 'meanwhile' WHERE id = 1");
      await run.until('the change to be applied', ({ changesApplied }) => changesApplied > 0);
      run.operator.settings.set('throttle.niceRatio', '0');
      run.operator.settings.set('chunk.rows', '50');
      was = { ...was, rows: await test.rows() };
      await expectGoneOn(run);
    });

    itOnce('rests after chunks that take long', async () => {
      const run = await begin({ maxChunkMs: 1 }, { chunk: { rows: 50 } });
      await run.until('a rest', ({ throttled }) => /the last chunk, which took \d+ ms/.test(throttled ?? ''));
      await expectGoneOn(run);
    });

    itOnce('holds for nothing on a quiet server by default', async () => {
      const run = await begin({ intervalMs: 20 }, { preset: 'production' });
      await expectGoneOn(run);
      expect(run.seen.map(({ throttled }) => throttled).filter((reason) => reason !== null)).to.deep.equal(
        [],
      );
    });
  });
}
