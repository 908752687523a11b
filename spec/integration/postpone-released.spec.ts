import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { PostponeUntil } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { Operated } from '../support/operated';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

/** From the release to the swap, in ms. */
const PROMISED_MS = 1000;

/**
 * Releases that must keep the promise, out of less than twice as many: their median. What else runs on the machine may hold up
 * one of them; that it holds up most of them is no longer its doing.
 */
const KEPT = 3;

interface Held {
  readonly postponeUntil?: PostponeUntil;
  /** Resolves when it has been released, with the moment of it. */
  readonly release: (run: Operated) => Promise<number>;
}

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`how soon the swap follows its release on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let folder: string;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'lhm-released-'))));
    afterEach(() => rm(folder, { recursive: true }));

    const WAYS: Readonly<Record<string, () => Held | Promise<Held>>> = {
      'the operator, who postponed it': () => ({
        release: (run) => {
          run.operator.cutOverNow();
          return Promise.resolve(performance.now());
        },
      }),
      'the operator, where a function never answers': () => ({
        postponeUntil: () => new Promise(() => undefined),
        release: (run) => {
          run.operator.cutOverNow();
          return Promise.resolve(performance.now());
        },
      }),
      'the end of the flag file': async () => {
        const flag = join(folder, 'flag');
        await writeFile(flag, '');
        const release = async (): Promise<number> => {
          await rm(flag);
          return performance.now();
        };
        return { postponeUntil: flag, release };
      },
      'the function, right after it has said no': () => {
        let released: number | null = null;
        let hear: () => void = () => undefined;
        const postponeUntil = (): boolean => {
          if (released !== null) return true;
          hear();
          return false;
        };
        const release = (): Promise<number> =>
          new Promise((resolve) => (hear = () => resolve((released = performance.now()))));
        return { postponeUntil, release };
      },
    };

    /** The application goes on writing to every row, as fast as it can. */
    async function writing<T>(work: () => Promise<T>): Promise<T> {
      const client = await test.connect();
      const state = { over: false };
      const write = async (): Promise<void> => {
        for (let n = 0; !state.over && n < 1_000_000; n++)
          await client.query('UPDATE emails SET size = size + 1 WHERE id = ?', [1 + (n % 30)]);
      };
      const written = write();
      try {
        return await work();
      } finally {
        state.over = true;
        await written;
      }
    }

    /** @returns ms from the release to the first attempt */
    async function released({ postponeUntil, release }: Held): Promise<number> {
      test = await TestTable.create(server);
      let began = NaN;
      try {
        const at = await writing(async () => {
          const run = await Operated.begin(test, ADD_COLUMN, {
            ...(postponeUntil === undefined ? {} : { cutOver: { postponeUntil } }),
            hooks: {
              onValidated: () => {
                if (postponeUntil === undefined) run.operator.postpone();
              },
              beforeCutOver: () => void (began = performance.now()),
            },
          });
          await run.until('the postponement', ({ postponed }) => postponed !== null);
          const moment = await release(run);
          await run.result();
          return moment;
        });
        expect(began, 'it was held until then').to.be.above(at);
        await expectNoLeaks(test);
        return began - at;
      } finally {
        await test.drop();
      }
    }

    for (const [way, held] of Object.entries(WAYS))
      it(`by ${way}: within a second`, async () => {
        const took: number[] = [];
        const within = (): number => took.filter((ms) => ms < PROMISED_MS).length;
        while (took.length < 2 * KEPT - 1 && within() < KEPT) took.push(await released(await held()));
        expect(within(), `of ${took.map(Math.round).join(', ')} ms`).to.equal(KEPT);
      });
  });
}
