import { expect } from 'chai';

import type { LargeHadronError, Phase } from '../../lib';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectTakenBack, expectTruthfulLeftovers, expectWritable } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { untilWaiting } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';

/** Every phase that `progress` reports, and what an abort at its beginning leaves. */
const PHASES: readonly [phase: Phase, outcome: 'untouched' | 'rolled-back'][] = [
  ['preflight', 'untouched'],
  ['clone', 'untouched'],
  ['capture', 'rolled-back'],
  ['copy', 'rolled-back'],
  ['catch-up', 'rolled-back'],
  ['verify', 'rolled-back'],
  ['cut-over', 'rolled-back'],
];

const SMALL_CHUNKS = { chunk: { rows: 7 }, verify: { rows: 7 } };

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  describe(`failures on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
    });

    afterEach(() => test.drop());

    const fails = (options: Options): Promise<LargeHadronError> =>
      test.failure(ADD_COLUMN, { ...SMALL_CHUNKS, ...options });

    describe('a hook that throws', () => {
      for (const [hook, phase] of [
        ['beforeRowCopy', 'capture'],
        ['afterRowCopy', 'catch-up'],
        ['beforeCutOver', 'verify'],
      ] as const) {
        for (const [how, hookThat] of every(2, [
          ['throws', (thrown: Error) => () => raise(thrown)],
          ['rejects', (thrown: Error) => () => Promise.reject(thrown)],
        ] as const)) {
          it(`${hook} ${how}: the table is as it was`, async () => {
            const thrown = new Error('not now');
            const error = await fails({ hooks: { [hook]: hookThat(thrown) } });
            await expectTakenBack(test, error, was, { code: 'LHM_HOOK_FAILED', phase });
            expect(error.cause).to.equal(thrown);
            expect(error.message).to.contain(hook).and.contain('not now');
          });
        }
      }

      it('afterCutOver: the table has its new definition, and what is left is named', async () => {
        const thrown = new Error('too late');
        const error = await fails({ hooks: { afterCutOver: () => raise(thrown) } });
        expect(error).to.include({ code: 'LHM_HOOK_FAILED', outcome: 'swapped', cause: thrown });
        expect(error.leftovers).not.to.be.empty;
        await expectTruthfulLeftovers(test, error);
        expect(await test.definition()).to.contain('`extra`');
        expect(await test.rows()).to.have.length(was.rows.length);
        await expectWritable(test);
        expect(await oldTables(test)).to.have.length(1);
      });

      itOnce('is ignored where that is documented, and in a progress function', async () => {
        let calls = 0;
        const quiet = (): never => raise(new Error(`ignored ${++calls}`));
        await test.migrate(ADD_COLUMN, { hooks: { onStatus: quiet, onSuccess: quiet }, progress: quiet });
        expect(calls).to.be.above(5);
        const error = await test.failure(ADD_COLUMN, { hooks: { onFailure: quiet } });
        expect(error.code).to.equal('LHM_ALTER_FAILED');
        await expectNoLeaks(test);
      });

      itOnce('onFailure is given the very error that the caller gets', async () => {
        let given: unknown;
        const error = await fails({
          hooks: {
            beforeCutOver: () => raise(new Error('no')),
            onFailure: (reason, context) => {
              given = [reason, context.table];
            },
          },
        });
        expect(given).to.deep.equal([error, `${test.database}.emails`]);
      });
    });

    describe('an AbortSignal', () => {
      for (const [phase, outcome] of every(2, PHASES)) {
        it(`in phase ${phase}`, async () => {
          const controller = new AbortController();
          const error = await fails({
            signal: controller.signal,
            progress: (progress) => {
              if (progress.phase === phase) controller.abort();
            },
          });
          await expectTakenBack(test, error, was, { code: 'LHM_INTERRUPTED', outcome });
        });
      }

      it('between two chunks', async () => {
        const controller = new AbortController();
        const copied: number[] = [];
        const error = await fails({
          signal: controller.signal,
          progress: ({ phase, rowsCopied }) => {
            if (phase !== 'copy' || rowsCopied === 0) return;
            copied.push(rowsCopied);
            controller.abort();
          },
        });
        expect(copied).to.deep.equal([7]);
        await expectTakenBack(test, error, was, { code: 'LHM_INTERRUPTED', phase: 'copy' });
      });

      itOnce('in a pause between two chunks, which it ends at once', async () => {
        const controller = new AbortController();
        const started = performance.now();
        const error = await fails({
          signal: controller.signal,
          chunk: { rows: 7, pauseMs: 60_000 },
          progress: ({ rowsCopied }) => {
            if (rowsCopied > 0) setImmediate(() => controller.abort());
          },
        });
        await expectTakenBack(test, error, was, { code: 'LHM_INTERRUPTED', phase: 'copy' });
        expect(performance.now() - started).to.be.below(20_000);
      });

      // With the binary log nothing of ours is on the table, and nothing is held up.
      it('while the cut-over waits for a transaction, which also holds up the clean-up of triggers', async () => {
        const controller = new AbortController();
        const holder = await test.connect();
        const error = fails({
          signal: controller.signal,
          hooks: {
            beforeCutOver: async () => {
              await holder.query('START TRANSACTION');
              await holder.query('SELECT COUNT(*) FROM emails');
            },
          },
          cutOver: { backoffMs: 60_000, backoffMaxMs: 60_000 },
          progress: ({ waitingFor }) => {
            if (waitingFor !== null) controller.abort();
          },
        });
        if (mode === 'triggers') await untilWaiting(test, /DROP TRIGGER/);
        else await error;
        await holder.query('ROLLBACK');
        await expectTakenBack(test, await error, was, { code: 'LHM_INTERRUPTED', phase: 'cut-over' });
      });

      it('after the swap: the migration is done all the same', async () => {
        const controller = new AbortController();
        const result = await test.migrate(ADD_COLUMN, {
          signal: controller.signal,
          hooks: { afterCutOver: () => controller.abort() },
        });
        expect(result.rowsCopied).to.equal(30);
        expect(await test.definition()).to.contain('`extra`');
        await expectNoLeaks(test);
      });

      itOnce('takes its listeners away when the migration has ended', async () => {
        const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
        const listeners = (): number[] => signals.map((name) => process.listenerCount(name));
        const were = listeners();
        await test.migrate(ADD_COLUMN);
        await test.failure(ADD_COLUMN);
        expect(listeners()).to.deep.equal(were);
      });

      itOnce('leaves SIGHUP to an application that listens for it', async () => {
        let heard: () => void;
        const hungUp = new Promise<void>((resolve) => (heard = resolve));
        const listener = (): void => heard();
        process.on('SIGHUP', listener);
        try {
          const beforeRowCopy = (): Promise<void> => {
            process.kill(process.pid, 'SIGHUP');
            return hungUp;
          };
          const { rowsCopied } = await test.migrate(ADD_COLUMN, { hooks: { beforeRowCopy } });
          expect(rowsCopied).to.equal(30);
        } finally {
          process.removeListener('SIGHUP', listener);
        }
        await expectNoLeaks(test);
      });
    });

    describe('a second migration of the same table', () => {
      it('is refused at once, and the first one completes', async () => {
        let refusal: LargeHadronError | undefined;
        let tookMs = Infinity;
        const result = await test.migrate(ADD_COLUMN, {
          hooks: {
            beforeRowCopy: async () => {
              const started = performance.now();
              refusal = await test.failure((t) => void t.integer('another'));
              tookMs = performance.now() - started;
            },
          },
        });
        expect(refusal).to.include({ code: 'LHM_ALREADY_RUNNING', outcome: 'untouched' });
        expect(refusal?.message).to.match(/connection \d+/);
        expect(tookMs).to.be.below(5000);
        expect(result.rowsCopied).to.equal(30);
        expect(await test.definition())
          .to.contain('`extra`')
          .and.not.contain('another');
        await expectNoLeaks(test);
      });

      it('of another table goes on beside it', async () => {
        await test.query('CREATE TABLE letters LIKE emails');
        await test.query('INSERT INTO letters SELECT * FROM emails');
        await test.migrate(ADD_COLUMN, {
          hooks: {
            beforeRowCopy: async () => {
              await test.migrate(ADD_COLUMN, {}, 'letters');
            },
          },
        });
        expect(await test.definition('letters')).to.contain('`extra`');
        expect(await test.definition()).to.contain('`extra`');
        await expectNoLeaks(test);
      });

      it('after the first has failed succeeds', async () => {
        await fails({ hooks: { beforeCutOver: () => raise(new Error('not yet')) } });
        await test.migrate(ADD_COLUMN, SMALL_CHUNKS);
        expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
        await expectNoLeaks(test);
      });
    });
  });
}

function raise(error: Error): never {
  throw error;
}
