import { expect } from 'chai';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  LargeHadronEvents,
  type EventName,
  type HookContext,
  type HookOptions,
  type LargeHadronError,
} from '../../lib';
import { ask } from '../../lib/control/client';
import { EVENT_NAMES } from '../../lib/events/event-map';
import { SCRIPTS, type HookName } from '../../lib/migration/hook-names';
import { failOnce } from '../faults/fail-once';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';

const ADD_COLUMN = 'ADD COLUMN extra INT';

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

for (const flavor of availableFlavors()) {
  describe(`hooks and events on ${flavor}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let folder: string;

    before(async () => (server = await startServer(flavor)));
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

    for (const name of VETOES) {
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

    it('executables are run at the same moments, in the order of their names', async () => {
      const log = join(folder, 'log');
      for (const [name, suffix] of Object.entries(SCRIPTS))
        await script(
          `lhm-${suffix}`,
          `echo "${name} $LHM_DATABASE_NAME.$LHM_TABLE_NAME $LHM_GHOST_TABLE_NAME $LHM_HOOKS_HINT $LHM_PHASE" >> ${log}`,
        );
      await script('lhm-on-before-cut-over-second', `echo "second $LHM_PROGRESS $LHM_DDL" >> ${log}`);
      await writeFile(join(folder, 'lhm-on-startup-not-executable'), 'exit 1');
      await test.migrate(ADD_COLUMN, {
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
      await expectNoLeaks(test);
    });

    for (const [what, text, says] of [
      ['fails', 'echo no disk; exit 3', /it ended with 3: no disk/],
      ['takes too long', 'exec sleep 60', /longer than 200 ms/],
    ] as const) {
      it(`an executable that ${what} stops the migration, and is quoted`, async () => {
        await script('lhm-on-before-cut-over', text);
        const before = { definition: await test.definition(), rows: await test.rows() };
        const hooks = { directory: folder, scriptTimeoutMs: 200 };
        const error = await failureOf(test.migrate(ADD_COLUMN, { hooks }));
        expect(error.message).to.match(says);
        await expectTakenBack(test, error, before, { code: 'LHM_HOOK_FAILED' });
      });
    }

    it('onFailure is told the error; what the last ones throw is ignored', async () => {
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

    it('onBatchCopyRetry is told of a chunk that is copied again, and may stop it', async () => {
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

    it('onInteractiveCommand is told of each command, and may refuse it', async () => {
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

    it('events tell what happens, and no listener can break the run', async () => {
      const events = new LargeHadronEvents();
      const seen = new Map<EventName, unknown[]>();
      for (const name of EVENT_NAMES)
        events.on(name, (event) => {
          seen.set(name, [...(seen.get(name) ?? []), event]);
          if (name.length % 2 === 0) throw new Error('a listener’s');
          return Promise.reject(new Error('a listener’s, later'));
        });
      const path = join(folder, 'socket');
      let held = false;
      const stopHolding = events.on('chunk', () => {
        held = true;
        stopHolding();
      });
      events.on('throttled', () => void (held = false));
      const holder = await test.connect();
      const done = events.once('done');
      const result = await test.migrate(ADD_COLUMN, {
        ...{ events, chunk: { rows: 10, pauseMs: 400 }, control: { socket: path } },
        cutOver: { postponeUntil: postponedOnce(), lockTimeoutMs: 1000 },
        throttle: { sources: [() => (held ? 'one moment' : null)], intervalMs: 20 },
        hooks: {
          // Longer than lockTimeoutMs when the swap is due.
          beforeRowCopy: async () => {
            await holder.query('BEGIN');
            await holder.query('SELECT * FROM emails LIMIT 1');
          },
          afterRowCopy: () => test.query("UPDATE emails SET note = 'later'").then(() => undefined),
          beforeCutOver: async () => {
            await ask({ path }, { command: 'sup' });
            events.on('attemptPostponed', () => void holder.query('COMMIT').catch(() => undefined));
          },
        },
      });
      expect((await done).result).to.equal(result);
      expect([...seen.keys()].sort()).to.deep.equal(
        EVENT_NAMES.filter((name) => name !== 'failed' && name !== 'retry').sort(),
      );
      expect(seen.get('phase')).to.deep.include({ table: `${test.database}.emails`, phase: 'copy' });
      expect(seen.get('chunk')).to.deep.include({
        table: `${test.database}.emails`,
        rows: 10,
        rowsCopied: 20,
      });
      expect(seen.get('swapped')).to.have.length(1);
      const error: LargeHadronError = await failureOf(test.migrate(ADD_COLUMN, { events }));
      expect(seen.get('failed')).to.deep.equal([{ table: error.table, error }]);
    });
  });
}
