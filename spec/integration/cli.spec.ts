import { expect } from 'chai';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expectNoLeaks } from '../support/leak-guard';
import { Lhm, lhm, type LhmResult } from '../support/lhm-cli';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { until } from '../support/test-table-process-list';

const CHANGE = 'ADD COLUMN extra INT NULL';
const PASSWORD = 'ge heim/@:%42';

for (const flavor of availableFlavors()) {
  describe(`lhm, the command, on ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let folder: string;
    let account: string;
    let env: NodeJS.ProcessEnv;
    let url: string;

    before(async () => {
      server = await startServer(flavor);
      account = `lhm_cli_${process.pid}`;
      const admin = await TestTable.create(server);
      await admin.query(`CREATE USER ${account}@'%' IDENTIFIED BY '${PASSWORD}'`);
      await admin.query(`GRANT ALL ON *.* TO ${account}@'%' WITH GRANT OPTION`);
      await admin.drop();
    });
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server, { rows: 200 });
      folder = await mkdtemp(join(tmpdir(), 'lhm-cli-'));
      env = { LHM_SOCKET_DIRECTORY: join(folder, 's') };
      const { host, port } = server.connection;
      url = `mysql://${account}:${encodeURIComponent(PASSWORD)}@${host}:${port}/${test.database}`;
    });
    afterEach(async () => {
      await rm(folder, { recursive: true });
      await test.drop();
    });

    const secrets = [PASSWORD, encodeURIComponent(PASSWORD)];

    function expectNoPassword(...texts: string[]): void {
      for (const text of texts) for (const secret of secrets) expect(text).not.to.contain(secret);
    }

    async function run(code: number, args: readonly string[], input?: string): Promise<LhmResult> {
      const result = await lhm(args, { LHM_URL: url, DEBUG: 'lhm:*', ...env }, input);
      expectNoPassword(result.stdout, result.stderr);
      expect(result.code, result.stdout + result.stderr.slice(-2000)).to.equal(code);
      return result;
    }

    it('plans and migrates, by every way to say where the server is', async () => {
      const plan = await run(0, ['plan', 'emails', CHANGE, '--ghost', '--json']);
      expect((JSON.parse(plan.stdout) as { newDefinition: string }).newDefinition).to.contain('`extra`');
      const open = url.replace(/:[^:@]*@/, '@');
      const file = join(folder, 'password');
      await writeFile(file, `${PASSWORD}\n`);
      const byFile = ['--url', open, '--password-file', file];
      const migrated = await run(0, ['migrate', 'emails', CHANGE, ...byFile, '--json', '--chunk-rows', '50']);
      expect(JSON.parse(migrated.stdout)).to.include({ rowsCopied: 200, table: `${test.database}.emails` });
      expect(await test.definition()).to.contain('`extra`');
      const asked = await run(
        0,
        ['plan', 'emails', 'ADD a INT', '--url', open, '--ask-pass'],
        `${PASSWORD}\n`,
      );
      expect(asked.stdout).to.contain('The migration would run.');
      const knexfile = join(folder, 'knexfile.cjs');
      const config = { other: {}, mine: { client: 'mysql2', connection: url } };
      await writeFile(knexfile, `module.exports = ${JSON.stringify(config)}`);
      await run(0, ['plan', 'emails', 'ADD a INT', '--knexfile', knexfile, '--env', 'mine']);
      const cleaned = await run(0, ['clean-up', '--drop-old-tables-after-ms', '0']);
      expect(cleaned.stdout).to.contain('dropped: table');
      await expectNoLeaks(test);
    });

    it('says by its exit code what became of the table', async () => {
      await run(2, ['migrate', 'emails', 'DROP COLUMN nope']);
      await run(2, ['plan', 'emails', 'DROP PRIMARY KEY']);
      await run(3, ['migrate', 'emails', 'ADD COLUMN one INT NOT NULL DEFAULT 1, ADD UNIQUE KEY one (one)']);
      await expectNoLeaks(test);
      const lost = await run(2, ['migrate', 'emails', CHANGE, '--url', url.replace(/:\d+\//, ':1/')]);
      expect(lost.stderr).to.contain('LHM_CANNOT_CONNECT');
    });

    it('refuses bad input, and repeats no password of it', async () => {
      const knexfiles: [readonly string[], RegExp][] = [];
      for (const [name, text, says] of [
        ['a.cjs', "module.exports = () => { throw new Error('not today') }", /cannot be loaded: not today/],
        ['b.cjs', 'module.exports = null', /holds no configuration/],
        ['c.cjs', "module.exports = { client: 'none' }", /does not take the configuration/],
        ['d.ts', 'export default {}', /NODE_OPTIONS=--import=tsx|does not take/],
      ] as const) {
        await writeFile(join(folder, name), text);
        knexfiles.push([['--knexfile', join(folder, name)], says]);
      }
      const cases: [readonly string[], RegExp][] = [
        [[`--urll=${url}`], /unknown option/],
        [['--url', url.replace('mysql:', 'pg:')], /must look like/],
        [['--url', url.replace('mysql://', '')], /must look like/],
        [['--chunk-rows', 'many'], /chunk\.rows/],
        [['--cut-over-strategy', 'x'], /cutOver\.strategy/],
        [['--knexfile', '/nowhere.js'], /knexfile cannot be loaded/],
        [['--password-file', '/nowhere'], /password file cannot be read/],
        // The host would be `ss`, or the account's name.
        ...['p@ss/word', '1#word', 'p%zz'].map((password): [readonly string[], RegExp] => [
          ['--url', `mysql://u:${password}@127.0.0.1:1/db`],
          /must be encoded/,
        ]),
        ...knexfiles,
        [[url], /too many arguments/],
      ];
      for (const [args, says] of cases) {
        const { stderr } = await run(2, ['migrate', 'emails', CHANGE, ...args]);
        expect(stderr).to.match(says);
      }
      await run(2, ['migrate', 'emails']);
      await run(2, ['nonsense']);
      await run(2, []);
      await expectNoLeaks(test);
    });

    it('finds a running migration, shows and steers it', async () => {
      await run(2, ['status']);
      expect((await run(2, ['status', 'other'])).stdout).to.contain('No migration of other');
      await run(2, ['pause']);
      const slowly = ['--chunk-rows', '5', '--chunk-pause-ms', '200', '--progress', 'lines'];
      const migration = new Lhm(['migrate', 'emails', CHANGE, '--url', url, ...slowly], env);
      await until('it to copy', () => Promise.resolve(/: copy/.test(migration.stderr) || undefined));
      expectNoPassword(migration.commandLine());
      expect(migration.commandLine()).not.to.contain('mysql:');
      await run(0, ['postpone']);
      const watch = new Lhm(['watch', '--interval-ms', '50'], env);
      const onTerminal = new Lhm(['watch', '--interval-ms', '50'], env, '', true);
      await run(0, ['pause', 'emails']);
      const held = async (): Promise<{ throttled: string | null; phase: string; postponed: unknown }> =>
        (JSON.parse((await run(0, ['status', '--json'])).stdout) as Awaited<ReturnType<typeof held>>[])[0]!;
      expect((await held()).throttled).to.contain('operator');
      await run(2, ['set', 'chunk.rows=none at all']);
      await run(2, ['set', 'nothing=1']);
      await run(2, ['panic', 'other']);
      await run(0, ['set', 'chunk.rows=200', 'emails']);
      await run(0, ['set', 'chunk.pauseMs=0']);
      expect((await run(0, ['status'])).stdout)
        .to.contain('chunk.rows = 200')
        .and.contain('throttled');
      await run(0, ['continue']);
      await until('the postponement', async () => ((await held()).postponed === null ? undefined : true));
      await run(0, ['cut-over']);
      const end = await migration.end;
      expect(end.code, end.stderr).to.equal(0);
      expectNoPassword(end.stdout, end.stderr);
      expect(end.stdout).to.contain('200 rows copied');
      const watched = await watch.end;
      expect(watched.code).to.equal(0);
      expect(watched.stdout)
        .to.contain('throttled')
        .and.contain('postponed for')
        .and.contain('it has ended: the tables are swapped');
      const drawn = await onTerminal.end;
      expect(drawn.code).to.equal(0);
      expect(drawn.stdout)
        .to.contain('\x1b[2J\x1b[H')
        .and.match(/rows\/s {3}[▁▂▃▄▅▆▇█ ]*[▁▂▃▄▅▆▇█]/);
      expect(drawn.stdout).to.contain('throttled').and.contain('it has ended');
      expect(without(await test.rows(), 'extra')).to.have.length(200);
      await expectNoLeaks(test);
    });

    it('what is left of one that was killed is named and removed, its socket among it', async () => {
      const slowly = ['--chunk-rows', '5', '--chunk-pause-ms', '20', '--progress', 'lines'];
      const migration = new Lhm(['migrate', 'emails', CHANGE, '--url', url, ...slowly], env);
      await until('it to copy', () => Promise.resolve(/: copy/.test(migration.stderr) || undefined));
      const sockets = (): Promise<string[]> => readdir(env['LHM_SOCKET_DIRECTORY']!);
      const [socket] = await sockets();
      process.kill(migration.pid, 'SIGKILL');
      await migration.end;
      await until('the server to let go of it', async () => {
        const { stdout } = await run(0, ['clean-up', '--dry-run']);
        return stdout.includes('being migrated') ? undefined : true;
      });
      const planned = await run(0, ['clean-up', 'emails', '--dry-run']);
      expect(planned.stdout)
        .to.contain('to be removed: table')
        .and.contain(`to be removed: socket ${env['LHM_SOCKET_DIRECTORY']}/${socket}`);
      expect(await sockets()).to.deep.equal([socket]);
      expect((await run(0, ['clean-up', 'others'])).stdout).to.equal('nothing was left\n');
      const cleaned = await run(0, ['clean-up', 'emails', '--json']);
      expect((JSON.parse(cleaned.stdout) as { sockets: string[] }).sockets).to.have.length(1);
      expect(await sockets()).to.deep.equal([]);
      await expectNoLeaks(test);
    });

    it('migrates to the end when nobody reads any more what it prints', async () => {
      const slowly = ['--chunk-rows', '5', '--chunk-pause-ms', '5', '--progress', 'lines'];
      const migration = new Lhm(['migrate', 'emails', CHANGE, '--url', url, ...slowly], env);
      await until('it to copy', () => Promise.resolve(/: copy/.test(migration.stderr) || undefined));
      migration.leave();
      expect((await migration.end).code).to.equal(0);
      expect(await test.definition()).to.contain('`extra`');
      await expectNoLeaks(test);
    });

    /** Each is a table of its own, and both are migrated at once. */
    const ODD_NAMES = [
      `it's "the" \`ta\\ble\` 邮件 %s $(x) -- ${'x'.repeat(30)}`,
      '--url=größe, a=b && ? :x #',
    ];

    // What the server does with such names is seen elsewhere.
    if (flavor === availableFlavors()[0])
      it('does all of it to tables with odd names, of which two are migrated at once', async () => {
        expect(ODD_NAMES[0]).to.have.length(64);
        const odd = await Promise.all(
          ODD_NAMES.map((table) => TestTable.create(server, { rows: 100, table })),
        );
        const flag = join(folder, 'held');
        await writeFile(flag, '');
        const all = async (one: TestTable): Promise<void> => {
          const { table } = one;
          const full = `${one.database}.${table}`;
          const to = ['--url', url.replace(test.database, one.database)];
          expect((await run(0, ['plan', ...to, '--', table, CHANGE])).stdout).to.contain(table);
          const held = [...to, '--throttle-flag-file', flag, '--throttle-interval-ms', '50'];
          const migration = new Lhm(['migrate', ...held, '--progress', 'lines', '--', table, CHANGE], env);
          await until('it to hold', () => /: copy, .*throttled/.test(migration.stderr) || undefined);
          const watch = new Lhm(['watch', '--', table], env);
          await Promise.all([run(0, ['pause', full]), run(0, ['postpone', '--', table])]);
          await Promise.all([
            run(0, ['set', 'chunk.rows=7', '--', table]),
            run(2, ['panic', '--', `${table}x`]),
            run(2, ['continue']),
          ]);
          await both();
          for (const name of [table, full]) {
            const { stdout } = await run(0, ['status', '--', name]);
            expect(stdout).to.contain(`${full}: copy`).and.contain('chunk.rows = 7');
          }
          await run(0, ['continue', '--', table]);
          if (one === odd[0]) {
            await run(0, ['cut-over', full]);
            expect((await migration.end).code, migration.stderr).to.equal(0);
          } else {
            await run(0, ['panic', '--', table]);
            expect((await migration.end).code, migration.stderr).to.equal(3);
          }
          const [code, how] = one === odd[0] ? [0, 'the tables are swapped'] : [3, 'LHM_PANIC, rolled-back'];
          const watched = await watch.end;
          expect(watched.code).to.equal(code);
          expect(watched.stdout).to.contain(`${full}: it has ended: ${how}`);
          const cleaned = await run(0, ['clean-up', '--drop-old-tables-after-ms', '0', ...to, '--', table]);
          expect(cleaned.stdout).to.contain(one === odd[0] ? 'dropped: table' : 'nothing was left');
          await expectNoLeaks(one);
        };
        // What one is told, the other one has not heard by then; only afterwards both go on.
        let here = 0;
        let go: () => void;
        const free = new Promise<void>((resolve) => (go = resolve));
        const both = async (): Promise<void> => {
          if (++here === odd.length) await rm(flag).then(() => go());
          await free;
        };
        try {
          await Promise.all(odd.map(all));
          expect(await odd[0]!.definition()).to.contain('`extra`');
          expect(await odd[1]!.definition()).not.to.contain('`extra`');
        } finally {
          for (const one of odd) await one.drop();
        }
      });

    it('stops a running migration by panic', async () => {
      const was = await test.definition();
      const slowly = ['--chunk-rows', '5', '--chunk-pause-ms', '200', '--progress', 'lines'];
      const migration = new Lhm(['migrate', 'emails', CHANGE, '--url', url, ...slowly], env);
      await until('it to copy', () => Promise.resolve(/: copy/.test(migration.stderr) || undefined));
      await run(0, ['panic', 'emails']);
      const end = await migration.end;
      expect(end.code).to.equal(3);
      expect(end.stderr).to.contain('LHM_PANIC');
      expect(await test.definition()).to.equal(was);
      await expectNoLeaks(test);
    });
  });
}
