import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ChildMigration } from '../support/test-table-process';
import { ExampleDatabase } from './example-database';
import { runSuite, RUNNERS, withFile, type Runner, type SuiteRun } from './fixtures/run-suite';

const DOCS = readFileSync(join(__dirname, '../../docs/fixtures.md'), 'utf8');

/** The files of each runner, with how many tests they hold. */
const FILES: Readonly<Record<Runner, Readonly<Record<string, number>>>> = {
  mocha: { shop: 4, other: 3, many: 1 },
  jest: { shop: 5, modules: 4, time: 3 },
  'node:test': { shop: 4, other: 2 },
};

function testsOf(runner: Runner, files: readonly string[]): number {
  return files.reduce((sum, file) => sum + FILES[runner][file]!, 0);
}

/** The example that says in its first line for which runner it is. */
function exampleFor(runner: Runner): string {
  const blocks = [...DOCS.matchAll(/^```js\n(.*?)^```/gms)].map(([, code = '']) => code);
  const found = blocks.filter((code) => code.toLowerCase().startsWith(`// ${runner}: `));
  expect(found).to.have.length(1);
  return found[0]!;
}

/** Ended by itself, with nothing on the screen but the runner's own report. */
function expectPassed(run: SuiteRun, tests: number): void {
  expect(run.failed, run.said).to.deep.equal([]);
  expect(run.said).to.equal('');
  expect(run.passed).to.have.length(tests);
  expect({ code: run.code, signal: run.signal }).to.deep.equal({ code: 0, signal: null });
}

for (const flavor of availableFlavors()) {
  describe(`test suites that migrate as their fixture on ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let database: ExampleDatabase;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => (database = await ExampleDatabase.create(server, 'fixture')));
    afterEach(async () => {
      for (const name of await database.list("SHOW DATABASES LIKE 'fixture\\_%'")) {
        await database.run(`DROP DATABASE ${name}`);
      }
      await database.drop();
    });

    for (const runner of RUNNERS) {
      const databaseUrl = (): string => database.url;

      it(`${runner}: all is well, nothing is printed, and the process ends by itself`, async () => {
        const files = Object.keys(FILES[runner]);
        expectPassed(await runSuite(runner, { files, databaseUrl: databaseUrl() }), testsOf(runner, files));
      });

      it(`${runner}, several processes at once: all is well in each`, async () => {
        const files = Object.keys(FILES[runner]).slice(0, 2);
        const run = await runSuite(runner, { files, databaseUrl: databaseUrl(), parallel: true });
        expectPassed(run, testsOf(runner, files));
      });

      it(`${runner}, interrupted in a fixture: it ends, and the next run succeeds`, async () => {
        let interrupt: (signal: NodeJS.Signals) => unknown = () => undefined;
        const suite = { files: ['interrupted'], databaseUrl: databaseUrl() };
        const running = runSuite(runner, {
          ...{ ...suite, env: { INTERRUPTED: '1' } },
          onStart: (kill) => (interrupt = kill),
        });
        await until('the triggers', async () =>
          (await database.list("SHOW TRIGGERS LIKE 'users'")).length === 3 ? true : undefined,
        );
        interrupt('SIGINT');
        const run = await running;
        expect(run.passed).to.deep.equal([]);
        expect(run.signal).not.to.equal('SIGKILL');
        // Mocha lets hooks end, so that the migration can take itself back.
        if (runner === 'mocha') {
          expect(run.failed.join()).to.contain('stopped by SIGINT');
          expect(await database.others()).to.deep.equal(['users']);
        }
        // The server must have noticed that the process is gone.
        await until('the end of its connections', async () =>
          (await database.connections()).length === 0 ? true : undefined,
        );
        expectPassed(await runSuite(runner, suite), 1);
      });
    }

    for (const runner of RUNNERS) {
      it(`the example of docs/fixtures.md for ${runner} does what it says`, async () => {
        const run = await withFile(runner, 'docs', exampleFor(runner), () =>
          runSuite(runner, { files: ['docs'], databaseUrl: database.url }),
        );
        expectPassed(run, 1);
      });
    }

    it('two processes in one database: each migrates its own tables, and one is refused the other’s', async () => {
      const test = await TestTable.create(server);
      const other = ChildMigration.start(test, {
        alter: 'ADD COLUMN x INT',
        stop: { hook: 'beforeCutOver' },
      });
      try {
        await other.reached();
        const databaseUrl = database.url.replace(/[^/]+$/, test.database);
        expectPassed(await runSuite('node:test', { files: ['beside'], databaseUrl }), 2);
      } finally {
        await other.kill();
        await test.drop();
      }
    });
  });
}
