import { expect } from 'chai';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { HookContext, ProgressSnapshot } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';

for (const { flavor, mode, on, once, itOnce } of serversAndModes()) {
  describe(`a cut-over that is postponed on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let folder: string;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
      folder = await mkdtemp(join(tmpdir(), 'lhm-postpone-'));
    });
    afterEach(async () => {
      await rm(folder, { recursive: true });
      await test.drop();
    });

    /** A migration whose progress can be looked at. */
    function begin(options: Options): { seen: ProgressSnapshot[]; end: Promise<unknown> } {
      const seen: ProgressSnapshot[] = [];
      const progress = (snapshot: ProgressSnapshot): void => void seen.push(snapshot);
      const end = test.migrate(ADD_COLUMN, { ...options, progress }).catch((error: unknown) => error);
      return { seen, end };
    }

    const untilWaiting = (seen: readonly ProgressSnapshot[], what: RegExp): Promise<true> =>
      until(
        'the migration to wait',
        () =>
          seen.some(({ phase, waitingFor }) => phase === 'postpone' && what.test(waitingFor ?? '')) ||
          undefined,
      );

    /** What the application writes is in the new table before the swap, not only after. */
    async function expectKeptUp(): Promise<void> {
      await test.query("UPDATE emails SET note = 'while postponed' WHERE id = 5");
      await test.query("INSERT INTO emails (id, address) VALUES (77, 'new')");
      await until('the changes in the new table', async () => {
        const rows = await test.rows('emails_lhmn');
        return rows[4]?.['note'] === 'while postponed' && rows.at(-1)?.['id'] === 77 ? true : undefined;
      });
      was = { ...was, rows: await test.rows() };
    }

    async function expectSwapped(end: Promise<unknown>): Promise<void> {
      const result = (await end) as Awaited<ReturnType<TestTable['migrate']>>;
      if (result instanceof Error) throw result;
      expect(result.verified.notCompared).to.equal(0);
      expect(result.verified.rechecked).to.be.at.least(2);
      expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
      expect(await test.definition()).to.contain('`extra`');
      await expectNoLeaks(test);
    }

    it('by a flag file: the swap follows when it is gone, and changes are applied until then', async () => {
      const flag = join(folder, 'postpone');
      await writeFile(flag, '');
      const { seen, end } = begin({ cutOver: { postponeUntil: flag } });
      await untilWaiting(seen, /postpone' \(cutOver\.postponeUntil\)/);
      await expectKeptUp();
      expect(await test.definition()).to.equal(was.definition.replace(/(AUTO_INCREMENT=)\d+/, '$178'));
      await rm(flag);
      await expectSwapped(end);
      expect(seen.at(-1)?.waitingFor).to.equal(null);
    });

    itOnce('by a file that is not there: not at all', async () => {
      const { seen, end } = begin({ cutOver: { postponeUntil: join(folder, 'none') } });
      await end;
      expect(seen.some(({ waitingFor }) => waitingFor !== null)).to.equal(false);
      expect(await test.definition()).to.contain('`extra`');
    });

    for (const [what, make] of once([
      ['a directory', (path: string) => mkdir(path)],
      ['a link that leads nowhere', (path: string) => symlink('nowhere', path)],
    ] as const))
      it(`by ${what}: as by any file of the name`, async () => {
        const flag = join(folder, 'postpone');
        await make(flag);
        const { seen, end } = begin({ cutOver: { postponeUntil: flag } });
        await untilWaiting(seen, /postpone' \(cutOver\.postponeUntil\)$/);
        await expectKeptUp();
        await rm(flag, { recursive: true });
        await expectSwapped(end);
      });

    itOnce(
      'by a file that can be looked for no longer: held back until it can, and the reason says so',
      async () => {
        const [link, other, file] = ['link', 'other', 'file'].map((name) => join(folder, name)) as [
          string,
          string,
          string,
        ];
        await mkdir(join(folder, 'folder'));
        await writeFile(join(folder, 'folder', 'flag'), '');
        await symlink('folder', link);
        const { seen, end } = begin({ cutOver: { postponeUntil: join(link, 'flag') } });
        await untilWaiting(seen, /flag' \(cutOver\.postponeUntil\)$/);
        await writeFile(file, '');
        await symlink('file', other);
        // At once, so that there is no moment without a folder, in which there would be no file either.
        await rename(other, link);
        await untilWaiting(seen, /flag' \(cutOver\.postponeUntil\), which cannot be looked for: ENOTDIR/);
        await expectKeptUp();
        expect(await test.definition()).not.to.contain('`extra`');
        await rm(link);
        await expectSwapped(end);
      },
    );

    itOnce('by a file that cannot be looked for: refused, and nothing is created', async () => {
      const options = { cutOver: { postponeUntil: '/dev/null/postpone' } };
      await expectRefused(test, { code: 'LHM_BAD_OPTION', says: /cannot be looked for: ENOTDIR/ }, () =>
        test.failure(ADD_COLUMN, options),
      );
    });

    itOnce('by a function: asked again until it says true, at once or later', async () => {
      let go = false;
      let saidTrue = 0;
      const contexts: HookContext[] = [];
      const postponeUntil = (context: HookContext): boolean | Promise<boolean> => {
        if (go) saidTrue += 1;
        return contexts.push(context) % 2 === 0 ? Promise.resolve(go) : go;
      };
      const { seen, end } = begin({ cutOver: { postponeUntil } });
      await untilWaiting(seen, /postponeUntil to return true/);
      await until('both ways of saying so', () => contexts.length > 2 || undefined);
      await expectKeptUp();
      go = true;
      await expectSwapped(end);
      expect(saidTrue).to.equal(1);
      expect(contexts[0]).to.include({ table: `${test.database}.emails`, ghostTable: 'emails_lhmn' });
    });

    it('by a function whose answer takes long: changes are applied meanwhile', async () => {
      let answer: (go: boolean) => void = () => undefined;
      const promise = new Promise<boolean>((resolve) => (answer = resolve));
      const { seen, end } = begin({ cutOver: { postponeUntil: () => promise } });
      await untilWaiting(seen, /postponeUntil/);
      await expectKeptUp();
      answer(true);
      await expectSwapped(end);
    });

    for (const [what, postponeUntil, says] of once([
      [
        'a function that throws',
        () => {
          throw new Error('no idea');
        },
        /postponeUntil failed: no idea/,
      ],
      ['a function that rejects', () => Promise.reject(new Error('no answer')), /failed: no answer/],
      ['a function that says neither', () => 'later' as never, /it returned later, and not true or false/],
    ] as const)) {
      it(`by ${what}: stops, and the table is as it was`, async () => {
        const error = await test.failure(ADD_COLUMN, { cutOver: { postponeUntil } });
        expect(error.message).to.match(says);
        expect(error.hint).to.contain('Nothing was swapped');
        await expectTakenBack(test, error, was, { code: 'LHM_HOOK_FAILED', phase: 'postpone' });
      });
    }

    it('is stopped by its signal, whatever the function waits for', async () => {
      const stop = new AbortController();
      const postponeUntil = (): Promise<boolean> => new Promise(() => undefined);
      const { seen, end } = begin({ signal: stop.signal, cutOver: { postponeUntil } });
      await untilWaiting(seen, /postponeUntil/);
      stop.abort();
      const error = (await end) as Parameters<typeof expectTakenBack>[1];
      await expectTakenBack(test, error, was, { code: 'LHM_INTERRUPTED', phase: 'postpone' });
    });

    it('carries on when its connections are lost meanwhile', async () => {
      const flag = join(folder, 'postpone');
      await writeFile(flag, '');
      const { seen, end } = begin({ cutOver: { postponeUntil: flag }, reconnectMs: 20_000 });
      await untilWaiting(seen, /postpone/);
      const list = await test.query<{ Id: number; db: string | null }>('SHOW PROCESSLIST');
      const ours = list.filter(({ Id, db }) => db === test.database && Id !== test.adminId);
      expect(ours.length).to.be.at.least(2);
      for (const { Id } of ours) await test.query(`KILL ${Id}`);
      await expectKeptUp();
      await rm(flag);
      await expectSwapped(end);
    });
  });
}
