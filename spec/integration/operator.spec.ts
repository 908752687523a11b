import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { Operated } from '../support/operated';
import { startServer, type RunningServer } from '../support/servers';
import { strategiesOf } from '../support/strategies';
import { TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const ROWS = 200;
const SLOWLY = { rows: 5, pauseMs: 10 };

const RENAME = /^RENAME TABLE /;

/** Answered as by a server that finds a deadlock with the RENAME: the attempt is given up, and another one may follow. */
const DEADLOCK = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213";

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  describe(`the operator of a migration on ${on}`, function () {
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

    const begin = (options: Options = {}): Promise<Operated> =>
      Operated.begin(test, ADD_COLUMN, { chunk: SLOWLY, ...options });

    async function expectSwapped(run: Operated): Promise<void> {
      const result = await run.result();
      expect(result.verified.notCompared).to.equal(0);
      expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
      expect(await test.definition()).to.contain('`extra`');
      await expectNoLeaks(test);
    }

    const ghostNotes = async (): Promise<unknown[]> =>
      (await test.query("SELECT note FROM emails_lhmn WHERE note = 'meanwhile'")).map(({ note }) => note);

    it('holds copy and replay, and lets them go on', async () => {
      const run = await begin();
      await run.until('some rows', ({ rowsCopied }) => rowsCopied >= 10);
      run.operator.pause('lunch');
      const { rowsCopied } = await run.until('the hold', ({ throttled }) => throttled === 'lunch');
      expect(rowsCopied).to.be.below(ROWS);
      await test.query("UPDATE emails SET note = 'meanwhile' WHERE id = 1");
      was = { ...was, rows: await test.rows() };
      const held = await run.until('the change to be counted', ({ backlog }) => backlog > 0);
      expect(held).to.include({ rowsCopied, throttled: 'lunch', waitingFor: 'lunch' });
      expect(await ghostNotes()).to.deep.equal([]);
      run.operator.continue();
      await run.until('more rows', (now) => now.rowsCopied > rowsCopied && now.throttled === null);
      await expectSwapped(run);
    });

    it('holds the verification, and the attempts at the swap', async () => {
      const run = await begin({
        verify: { rows: 5 },
        hooks: { beforeCutOver: () => run.operator.pause('before the swap') },
      });
      await run.until('some rows compared', ({ rowsVerified }) => rowsVerified >= 10);
      run.operator.pause('while comparing');
      const { rowsVerified, phase } = await run.until('the hold', ({ throttled }) => throttled !== null);
      expect(phase).to.equal('verify');
      await test.query("UPDATE emails SET note = 'meanwhile' WHERE id = 1");
      was = { ...was, rows: await test.rows() };
      const held = await run.until('the change to be counted', ({ backlog }) => backlog > 0);
      expect(held.rowsVerified).to.equal(rowsVerified);
      run.operator.continue();
      await run.until('the swap to hold', ({ throttled }) => throttled === 'before the swap');
      expect(await test.definition()).not.to.contain('`extra`');
      run.operator.continue();
      await expectSwapped(run);
    });

    itOnce('changes the size of chunks and the pauses between them', async () => {
      const run = await begin({ chunk: { rows: 1, pauseMs: 50 } });
      await run.until('some rows', ({ rowsCopied }) => rowsCopied >= 2);
      run.operator.settings.set('chunk.rows', '100');
      run.operator.settings.set('chunk.pauseMs', '0');
      await expectSwapped(run);
      const copied = [...new Set(run.seen.map(({ rowsCopied }) => rowsCopied))].sort((a, b) => a - b);
      const sizes = copied.slice(1).map((rows, i) => rows - copied[i]!);
      expect(sizes[0]).to.equal(1);
      expect(sizes).to.include(100);
    });

    it('postpones the swap and lets it follow, whatever the options say', async () => {
      const run = await begin();
      await run.until('some rows', ({ rowsCopied }) => rowsCopied >= 10);
      run.operator.postpone();
      const now = await run.until('the swap to wait', ({ waitingFor }) => /operator/.test(waitingFor ?? ''));
      expect(now.phase).to.equal('postpone');
      await test.query("UPDATE emails SET note = 'meanwhile' WHERE id = 1");
      was = { ...was, rows: await test.rows() };
      await until('the change in the new table', async () => (await ghostNotes())[0]);
      run.operator.cutOverNow();
      await expectSwapped(run);
    });

    itOnce('postpones between two attempts at the swap', async () => {
      const blocker = await test.connect();
      const beforeCutOver = async (): Promise<void> => {
        await blocker.query('BEGIN');
        await blocker.query('SELECT * FROM emails LIMIT 1');
      };
      const run = await begin({
        chunk: {},
        cutOver: { backoffMs: 50 },
        hooks: { beforeCutOver },
        giveUpAfterMs: false,
      });
      await run.until('an attempt in vain', (now) => now.phase === 'cut-over' && now.waitingFor !== null);
      run.operator.postpone();
      await run.until('the swap to wait', ({ waitingFor }) => /operator/.test(waitingFor ?? ''));
      await blocker.query('COMMIT');
      await test.query("UPDATE emails SET note = 'meanwhile' WHERE id = 1");
      was = { ...was, rows: await test.rows() };
      await until('the change in the new table', async () => (await ghostNotes())[0]);
      expect(await test.definition()).not.to.contain('`extra`');
      run.operator.cutOverNow();
      await expectSwapped(run);
    });

    /** Pauses right before the RENAME, when the table is locked and the application waits to write to it. */
    async function pausedUnderTheLock(
      options: Options,
      rewrite: (sql: string) => string = (sql) => sql,
    ): Promise<{ run: Operated; written: Promise<void> }> {
      const writer = await test.connect();
      const begun: { written?: Promise<unknown> } = {};
      const renamed = intercept(test.knex, {
        ...{ match: RENAME, when: 'before', rewrite },
        run: () => {
          run.operator.pause('lunch');
          begun.written = writer.query("UPDATE emails SET note = 'meanwhile' WHERE id = 1");
        },
      });
      const run = await begin({ chunk: {}, ...options });
      await run.until('the RENAME', () => renamed.happened);
      return { run, written: until('the write', () => begun.written).then(() => undefined) };
    }

    // With two-step a writer that comes between the two gets error 1146.
    for (const strategy of every(
      2,
      strategiesOf(flavor).filter((one) => one !== 'two-step'),
    ))
      it(`pauses under the lock of ${strategy}: the swap comes to its end, and writers go on`, async () => {
        const { run, written } = await pausedUnderTheLock({ cutOver: { strategy } });
        const { cutOver } = await run.result();
        expect(cutOver.attempts).to.equal(1);
        await written;
        expect(run.seen.some(({ throttled }) => throttled === 'lunch')).to.equal(false);
        was.rows[0]!['note'] = 'meanwhile';
        await expectSwapped(run);
      });

    it('pauses under the lock of an attempt that is given up: writers go on while it holds, and it is tried again', async () => {
      const { run, written } = await pausedUnderTheLock({ cutOver: { backoffMs: 10 } }, () => DEADLOCK);
      await written;
      const { phase } = await run.until('the hold', ({ throttled }) => throttled === 'lunch');
      expect(phase).to.equal('cut-over');
      await test.query("UPDATE emails SET note = 'at lunch' WHERE id = 2");
      expect(await test.definition()).not.to.contain('`extra`');
      was = { ...was, rows: await test.rows() };
      run.operator.continue();
      expect((await run.result()).cutOver.attempts).to.equal(2);
      await expectSwapped(run);
    });

    itOnce('releases a swap that a file postpones, or a function that does not answer', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lhm-operator-'));
      try {
        const flag = join(folder, 'flag');
        await writeFile(flag, '');
        const run = await begin({ chunk: {}, cutOver: { postponeUntil: flag } });
        await run.until('the swap to wait', ({ waitingFor }) => /flag/.test(waitingFor ?? ''));
        run.operator.cutOverNow();
        await expectSwapped(run);
      } finally {
        await rm(folder, { recursive: true });
      }
      await test.drop();
      test = await TestTable.create(server, { rows: ROWS });
      const run = await begin({ chunk: {}, cutOver: { postponeUntil: () => new Promise(() => undefined) } });
      await run.until('the swap to wait', ({ waitingFor }) => /postponeUntil/.test(waitingFor ?? ''));
      run.operator.cutOverNow();
      await expectSwapped(run);
    });

    it('panics: the migration stops at once, and the table is as it was', async () => {
      const run = await begin();
      await run.until('some rows', ({ rowsCopied }) => rowsCopied >= 10);
      run.operator.panic('the shop is closed');
      const error = await run.failure();
      expect(error.message).to.match(/operator stopped .*the shop is closed/);
      await expectTakenBack(test, error, was, { code: 'LHM_PANIC', phase: 'copy' });
    });

    for (const by of every(3, ['the operator', 'a flag file', 'a function that never answers']))
      it(`panics while ${by} postpones the swap: what was copied is removed, and the table is as it was`, async () => {
        const folder = await mkdtemp(join(tmpdir(), 'lhm-operator-'));
        try {
          const flag = join(folder, 'flag');
          await writeFile(flag, '');
          const never = (): Promise<boolean> => new Promise(() => undefined);
          const run = await begin({
            chunk: {},
            cutOver: by === 'the operator' ? {} : { postponeUntil: by === 'a flag file' ? flag : never },
            hooks: {
              beforeRowCopy: () => {
                if (by === 'the operator') run.operator.postpone();
              },
            },
          });
          await run.until('the postponement', ({ postponed }) => postponed !== null);
          run.operator.panic('the shop is closed');
          const error = await run.failure();
          expect(error.message).to.match(/operator stopped .*the shop is closed/);
          await expectTakenBack(test, error, was, { code: 'LHM_PANIC', phase: 'postpone' });
          expect(run.operator.settled()).to.deep.include({ as: 'ending' });
        } finally {
          await rm(folder, { recursive: true });
        }
      });

    itOnce('panics while the migration holds', async () => {
      const run = await begin();
      await run.until('some rows', ({ rowsCopied }) => rowsCopied >= 10);
      run.operator.pause();
      await run.until('the hold', ({ throttled }) => throttled === 'the operator');
      run.operator.panic();
      await expectTakenBack(test, await run.failure(), was, { code: 'LHM_PANIC', phase: 'copy' });
    });

    itOnce('is told to stop by a source of the caller', async () => {
      let stop = false;
      const source = {
        name: 'the weather',
        check: () =>
          Promise.resolve(
            stop ? ({ kind: 'abort', reason: 'a storm' } as const) : ({ kind: 'clear' } as const),
          ),
      };
      const run = await begin({ throttle: { sources: [source], intervalMs: 20 } });
      await run.until('some rows', ({ rowsCopied }) => rowsCopied >= 10);
      stop = true;
      const error = await run.failure();
      expect(error.message).to.contain('a storm');
      await expectTakenBack(test, error, was, { code: 'LHM_CRITICAL_LOAD', phase: 'copy' });
    });
  });
}
