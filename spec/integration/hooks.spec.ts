import { expect } from 'chai';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LargeHadronEvents, type HookContext, type HookOptions } from '../../lib';
import { ask } from '../../lib/control/client';
import { SCRIPTS, type HookName } from '../../lib/migration/hook-names';
import { failOnce } from '../faults/fail-once';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';

const ADD_COLUMN = 'ADD COLUMN extra INT';

/** A process that has ended and that nobody has waited for counts as ended. */
function isRunning(pid: string): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Those that come in every migration which is postponed, in their order. */
const MOMENTS = [
  'onStartup',
  'onValidated',
  'beforeRowCopy',
  'onRowCountComplete',
  'afterRowCopy',
  'onBeginPostponed',
  'beforeCutOver',
  'afterCutOver',
  'onSuccess',
] as const satisfies readonly HookName[];

/** After those that came before nothing is swapped. */
const VETOES = MOMENTS.filter((name) => name !== 'afterCutOver' && name !== 'onSuccess');

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  describe(`hooks on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let folder: string;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lhm-hooks-'));
      test = await TestTable.create(server);
    });
    afterEach(async () => {
      await test.drop();
      await rm(folder, { recursive: true });
    });

    /** An executable that says what it was told. */
    async function script(name: string, text: string): Promise<void> {
      await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
      await chmod(join(folder, name), 0o755);
    }

    /** Postpones once, for as long as the hook takes. */
    function postponedOnce(): () => boolean {
      let asked = 0;
      return () => asked++ > 0;
    }

    it('are called in their order, each awaited, and told how it stands', async () => {
      const called: string[] = [];
      const contexts: HookContext[] = [];
      const hook = (name: string) => async (context: HookContext) => {
        contexts.push(context);
        await new Promise(setImmediate);
        called.push(name);
      };
      const hooks = Object.fromEntries(MOMENTS.map((name) => [name, hook(name)])) as HookOptions;
      await test.migrate(ADD_COLUMN, { hooks, cutOver: { postponeUntil: postponedOnce() } });
      expect(called).to.deep.equal(MOMENTS);
      for (const context of contexts)
        expect(context).to.include({
          table: `${test.database}.emails`,
          ghostTable: 'emails_lhmn',
          alter: ADD_COLUMN,
        });
      await expectNoLeaks(test);
    });

    for (const name of every(2, VETOES)) {
      it(`${name} stops the migration by throwing, and the table is as it was`, async () => {
        const before = { definition: await test.definition(), rows: await test.rows() };
        const hooks: HookOptions = {
          [name]: () => {
            throw new Error('not today');
          },
        };
        const error = await failureOf(
          test.migrate(ADD_COLUMN, { hooks, cutOver: { postponeUntil: postponedOnce() } }),
        );
        expect(error.message).to.contain(name).and.contain('not today');
        const early = name === 'onStartup' || name === 'onValidated';
        await expectTakenBack(test, error, before, {
          code: 'LHM_HOOK_FAILED',
          outcome: early ? 'untouched' : 'rolled-back',
        });
      });
    }

    itOnce('executables are run at the same moments, in the order of their names', async () => {
      const log = join(folder, 'log');
      for (const [name, suffix] of Object.entries(SCRIPTS))
        await script(
          `lhm-${suffix}`,
          `echo "${name} $LHM_DATABASE_NAME.$LHM_TABLE_NAME $LHM_GHOST_TABLE_NAME $LHM_HOOKS_HINT $LHM_PHASE" >> ${log}`,
        );
      await script('lhm-on-before-cut-over-second', `echo "second $LHM_PROGRESS $LHM_DDL" >> ${log}`);
      const forgotten = ['lhm-on-startup-not-executable', 'lhm-on-before-row-copy.txt'];
      for (const name of forgotten) await writeFile(join(folder, name), 'exit 1');
      const events = new LargeHadronEvents();
      const warnings: string[] = [];
      events.on('warning', ({ message }) => warnings.push(message));
      await test.migrate(ADD_COLUMN, {
        events,
        hooks: { directory: folder, hint: 'by deploy 7' },
        cutOver: { postponeUntil: postponedOnce() },
      });
      const lines = (await readFile(log, 'utf8')).trim().split('\n');
      const told = (name: string): string[] => lines.filter((line) => line.startsWith(`${name} `));
      for (const name of MOMENTS) {
        expect(told(name), name).to.have.length(1);
        expect(told(name)[0]).to.contain(`${test.database}.emails emails_lhmn by deploy 7`);
      }
      expect(told('second')).to.deep.equal([`second 100 ${ADD_COLUMN}`]);
      expect(lines.indexOf(told('second')[0]!)).to.equal(lines.indexOf(told('beforeCutOver')[0]!) + 1);
      for (const name of forgotten)
        expect(
          warnings.filter((warning) => warning.startsWith(`${join(folder, name)} is not run`)),
        ).to.have.length(1);
      await expectNoLeaks(test);
    });

    for (const [what, text, says] of [
      ['fails', 'echo no disk; exit 3', /it ended with 3: no disk/],
      [
        'is ended by a signal',
        'echo out of memory; kill -9 $$',
        /cut-over: it was ended by SIGKILL: out of memory/,
      ],
      ['ends itself by one', 'kill -SEGV $$', /cut-over: it was ended by SIGSEGV/],
      ['takes too long', 'sleep 60 & echo waiting for $!; wait', /longer than 2000 ms: waiting/],
    ] as const) {
      itOnce(`an executable that ${what} stops the migration, and is quoted`, async () => {
        await script('lhm-on-before-cut-over', text);
        const before = { definition: await test.definition(), rows: await test.rows() };
        const hooks = { directory: folder, scriptTimeoutMs: 2000 };
        const error = await failureOf(test.migrate(ADD_COLUMN, { hooks }));
        expect(error.message).to.match(says);
        const started = /waiting for (\d+)/.exec(error.message)?.[1];
        if (started !== undefined)
          await until('the end of what it started', () =>
            Promise.resolve(isRunning(started) ? undefined : true),
          );
        await expectTakenBack(test, error, before, { code: 'LHM_HOOK_FAILED' });
      });
    }

    it('an executable is ended when the migration is stopped, and not taken for what failed', async () => {
      const pid = join(folder, 'pid');
      await script('lhm-on-before-cut-over', `echo $$ > ${pid}; sleep 60`);
      const before = { definition: await test.definition(), rows: await test.rows() };
      const stop = new AbortController();
      const running = failureOf(
        test.migrate(ADD_COLUMN, { hooks: { directory: folder }, signal: stop.signal }),
      );
      const started = await until('its process', () =>
        readFile(pid, 'utf8').then(
          (text) => text.trim() || undefined,
          () => undefined,
        ),
      );
      stop.abort(new Error('enough'));
      const error = await running;
      expect(isRunning(started)).to.equal(false);
      await expectTakenBack(test, error, before, { code: 'LHM_INTERRUPTED' });
    });

    for (const name of ['onStartup', 'onRowCountComplete', 'beforeCutOver'] as const)
      itOnce(`${name} that never ends does not keep the migration from being stopped`, async () => {
        const before = { definition: await test.definition(), rows: await test.rows() };
        const stop = new AbortController();
        const never = (): Promise<void> => {
          setImmediate(() => stop.abort());
          return new Promise(() => undefined);
        };
        const error = await failureOf(
          test.migrate(ADD_COLUMN, { hooks: { [name]: never }, signal: stop.signal }),
        );
        const outcome = name === 'onStartup' ? 'untouched' : 'rolled-back';
        await expectTakenBack(test, error, before, { code: 'LHM_INTERRUPTED', outcome });
      });

    itOnce(
      'an executable gets nothing to read and no password of ours, and what it leaves behind is not waited for',
      async () => {
        const log = join(folder, 'log');
        const [socket, pid] = [join(folder, 'socket'), join(folder, 'pid')];
        await script('lhm-on-startup', `sleep 600 & echo $! > ${pid}; cat; echo "<$LHM_URL>" >> ${log}`);
        await script('lhm-on-interactive-command', `echo "$LHM_COMMAND" >> ${log}`);
        await mkdir(join(folder, 'lhm-on-startup.d'));
        const value = 'mysql://me:secret@127.0.0.1:1/';
        process.env['LHM_URL'] = value;
        try {
          await test.migrate(ADD_COLUMN, {
            control: { socket },
            hooks: {
              directory: folder,
              beforeCutOver: async () => {
                await ask({ path: socket }, { command: 'throttle-control-replicas', value });
                await ask({ path: socket }, { command: 'throttle-control-replicas', value: 'off' });
              },
            },
          });
        } finally {
          delete process.env['LHM_URL'];
          process.kill(Number(await readFile(pid, 'utf8')), 'SIGKILL');
        }
        expect((await readFile(log, 'utf8')).split('\n').slice(0, 2)).to.deep.equal([
          '<>',
          'throttle-control-replicas=mysql://me:***@127.0.0.1:1/',
        ]);
        await expectNoLeaks(test);
      },
    );

    itOnce(
      'onBeginPostponed is not called where nothing is postponed, and onRowCountComplete not after a failure',
      async () => {
        const called: string[] = [];
        const hooks: HookOptions = {
          onBeginPostponed: () => void called.push('onBeginPostponed'),
          onRowCountComplete: () => void called.push('onRowCountComplete'),
        };
        await test.migrate(ADD_COLUMN, {
          hooks,
          cutOver: { postponeUntil: () => true },
          exactRowCount: true,
        });
        expect(called).to.deep.equal(['onRowCountComplete']);
        const unique = 'ADD COLUMN one INT NOT NULL DEFAULT 1, ADD UNIQUE KEY one (one)';
        await failureOf(test.migrate(unique, { hooks, exactRowCount: true }));
        expect(called).to.deep.equal(['onRowCountComplete']);
      },
    );

    itOnce('onStatus is not called while it runs', async () => {
      let [running, most] = [0, 0];
      const onStatus = async (): Promise<void> => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 50));
        running--;
      };
      const hooks = { onStatus, statusEveryMs: 10 };
      await test.migrate(ADD_COLUMN, { hooks, chunk: { rows: 5, pauseMs: 20 } });
      expect(most).to.equal(1);
    });

    itOnce('an executable of onStatus that hangs is ended soon after the migration', async () => {
      const log = join(folder, 'log');
      await script('lhm-on-status', `echo $$ > ${log}; sleep 300`);
      const warned: string[] = [];
      const events = new LargeHadronEvents();
      events.on('warning', ({ message }) => void warned.push(message));
      const hooks = { directory: folder, statusEveryMs: 10 };
      const beforeCutOver = async (): Promise<void> => {
        await until('it runs', () => readFile(log, 'utf8').catch(() => undefined));
      };
      await test.migrate(ADD_COLUMN, { hooks: { ...hooks, beforeCutOver }, events });
      const pid = (await readFile(log, 'utf8')).trim();
      await until('its end', () => !isRunning(pid) || undefined);
      expect(warned).to.deep.equal([]);
      await expectNoLeaks(test);
    });

    itOnce('onFailure is told the error; what the last ones throw is ignored', async () => {
      await script('lhm-on-failure', `echo "$LHM_ERROR_CODE $LHM_OUTCOME" > ${join(folder, 'log')}; exit 1`);
      const seen: Error[] = [];
      const hooks: HookOptions = {
        directory: folder,
        beforeCutOver: () => Promise.reject(new Error('no')),
        onFailure: (error) => void seen.push(error),
      };
      const error = await failureOf(test.migrate(ADD_COLUMN, { hooks }));
      expect(seen).to.deep.equal([error]);
      expect(await readFile(join(folder, 'log'), 'utf8')).to.equal('LHM_HOOK_FAILED rolled-back\n');
      const fails = (): Promise<never> => Promise.reject(new Error('ignored'));
      await test.migrate(ADD_COLUMN, { hooks: { onStatus: fails, onSuccess: fails, statusEveryMs: 10 } });
      await expectNoLeaks(test);
    });

    itOnce('onBatchCopyRetry is told of a chunk that is copied again, and may stop it', async () => {
      const attempts: number[] = [];
      for (const veto of [false, true]) {
        const knex = test.makeKnex();
        // The first statement of a chunk that writes.
        let struck = false;
        const places = failOnce(knex, { place: null, fault: 'deadlock', kill: () => Promise.resolve() });
        await test.migrate('ADD COLUMN a INT', { knex });
        await test.query('ALTER TABLE emails DROP COLUMN a');
        const place = [...places.places].find((one) =>
          /› INSERT INTO `db`\.`emails_lhmn` .* WHERE TRUE$/.test(one),
        )!;
        const again = test.makeKnex();
        failOnce(again, { place, fault: 'deadlock', kill: () => Promise.resolve() });
        const run = test.migrate(ADD_COLUMN, {
          knex: again,
          hooks: {
            onBatchCopyRetry: ({ attempt, error }) => {
              struck = true;
              attempts.push(attempt);
              expect((error as Error).message).to.match(/deadlock/i);
              if (veto) throw new Error('leave it');
            },
          },
        });
        if (veto)
          expect(await failureOf(run)).to.include({ code: 'LHM_HOOK_FAILED', outcome: 'rolled-back' });
        else {
          await run;
          await test.query('ALTER TABLE emails DROP COLUMN extra');
        }
        expect(struck, 'the chunk failed').to.equal(true);
        await expectNoLeaks(test);
      }
      expect(attempts).to.deep.equal([1, 1]);
    });

    itOnce('onInteractiveCommand is told of each command, and may refuse it', async () => {
      const path = join(folder, 'socket');
      const said: string[] = [];
      const replies: unknown[] = [];
      await test.migrate(ADD_COLUMN, {
        control: { socket: path },
        hooks: {
          onInteractiveCommand: ({ command, value }) => {
            said.push(`${command} ${value}`);
            if (command === 'panic') throw new Error('not on my watch');
          },
          beforeCutOver: async () => {
            replies.push((await ask({ path }, { command: 'nice-ratio', value: '0.5' })).ok);
            replies.push((await ask({ path }, { command: 'panic' })).ok);
          },
        },
      });
      expect(said).to.deep.equal(['nice-ratio 0.5', 'panic null']);
      expect(replies).to.deep.equal([true, false]);
      await expectNoLeaks(test);
    });

    itOnce(
      'a hook that gives commands to the migration itself, without an end, is not in its way',
      async () => {
        const path = join(folder, 'socket');
        const state = { over: false, deepest: 0, asked: 0 };
        let depth = 0;
        const warnings: Error[] = [];
        const warned = (warning: Error): void => void warnings.push(warning);
        process.on('warning', warned);
        // Each command calls the hook, which gives a command, which calls the hook.
        const onInteractiveCommand = async (): Promise<void> => {
          state.deepest = Math.max(state.deepest, ++depth);
          try {
            while (!state.over) {
              state.asked++;
              await ask({ path }, { command: 'chunk-size' });
            }
          } finally {
            depth--;
          }
        };
        const running = test.migrate(ADD_COLUMN, {
          control: { socket: path },
          chunk: { rows: 1, pauseMs: 20 },
          hooks: {
            onInteractiveCommand,
            beforeRowCopy: () => void ask({ path }, { command: 'sup' }).catch(() => undefined),
          },
        });
        try {
          await until('it to go deep', () => (state.deepest > 20 && state.asked > 200) || undefined);
          const result = await running;
          expect(result.rowsCopied).to.equal(30);
        } finally {
          state.over = true;
          process.off('warning', warned);
        }
        await until('its end', () => depth === 0 || undefined);
        expect(warnings).to.deep.equal([]);
        await expectNoLeaks(test);
      },
    );
  });
}
