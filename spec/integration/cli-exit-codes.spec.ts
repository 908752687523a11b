import { expect } from 'chai';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expectNoLeaks } from '../support/leak-guard';
import { Lhm, lhm, type LhmResult } from '../support/lhm-cli';
import { ConnectionProxy, dial } from '../support/proxy/connection-proxy';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';

const CHANGE = 'ADD COLUMN extra INT NULL';

for (const flavor of availableFlavors()) {
  describe(`the exit codes of lhm on ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let folder: string;
    let was: string;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server, { rows: 200 });
      was = await test.definition();
      folder = await mkdtemp(join(tmpdir(), 'lhm-exit-'));
    });
    afterEach(async () => {
      await rm(folder, { recursive: true });
      await test.drop();
    });

    function env({ host, port } = server.connection): NodeJS.ProcessEnv {
      const { user, password } = server.connection;
      return {
        LHM_SOCKET_DIRECTORY: join(folder, 's'),
        LHM_URL: `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${test.database}`,
      };
    }

    const migrate = (...flags: string[]): Promise<LhmResult> =>
      lhm(['migrate', 'emails', CHANGE, ...flags], env());

    async function executable(name: string, text: string): Promise<string[]> {
      const path = join(folder, name);
      await writeFile(path, `#!/bin/sh\n${text}\n`);
      await chmod(path, 0o755);
      return ['--hooks-directory', folder];
    }

    async function isChanged(): Promise<boolean> {
      return (await test.definition()).includes('`extra`');
    }

    it('0: done; for plan: it would run; for clean-up: whatever there was to do', async () => {
      expect((await lhm(['plan', 'emails', CHANGE], env())).code).to.equal(0);
      expect(await test.definition()).to.equal(was);
      expect((await migrate()).code).to.equal(0);
      expect(await isChanged()).to.equal(true);
      expect((await lhm(['clean-up'], env())).code).to.equal(0);
      await expectNoLeaks(test);
    });

    it('1: a mistake in the program, of which the first line is shown', async () => {
      const broken = join(folder, 'broken.cjs');
      const module = join(__dirname, '../../dist/plan-large-hadron-migration.js');
      const mistake = "() => { throw new TypeError('x is not a function') }";
      await writeFile(broken, `require(${JSON.stringify(module)}).planLargeHadronMigration = ${mistake};\n`);
      const preloaded = { ...env(), NODE_OPTIONS: `--require=${broken}` };
      const { code, stderr } = await lhm(['plan', 'emails', CHANGE], preloaded);
      expect(stderr).to.equal('x is not a function\n');
      expect(code).to.equal(1);
    });

    it('2: refused, and nothing was begun', async () => {
      const hooks = await executable('lhm-on-validated', 'echo not today; exit 1');
      const { code, stderr } = await migrate(...hooks);
      expect(stderr).to.contain('LHM_HOOK_FAILED').and.contain('not today');
      expect(stderr).to.contain('The table: untouched.');
      expect(code).to.equal(2);
      expect((await lhm(['plan', 'emails', 'DROP PRIMARY KEY'], env())).code).to.equal(2);
      expect((await lhm(['status'], env())).code).to.equal(2);
      expect(await test.definition()).to.equal(was);
      await expectNoLeaks(test);
    });

    it('3: begun, and taken back: after a hook that failed, and when it is told to end', async () => {
      const hooks = await executable('lhm-on-before-cut-over', 'exit 1');
      const refused = await migrate(...hooks);
      expect(refused.stderr).to.contain('The table: rolled-back.');
      expect(refused.code).to.equal(3);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        const slowly = ['--chunk-rows', '5', '--chunk-pause-ms', '50', '--progress', 'lines'];
        const migration = new Lhm(['migrate', 'emails', CHANGE, ...slowly], env());
        await until('it to copy', () => /: copy/.test(migration.stderr) || undefined);
        process.kill(migration.pid, signal);
        // A terminal that is closed may send it by the shell and by the system.
        if (signal === 'SIGHUP') process.kill(migration.pid, signal);
        const { code, stderr } = await migration.end;
        expect(stderr).to.contain('LHM_INTERRUPTED').and.contain('The table: rolled-back.');
        expect(code, signal).to.equal(3);
      }
      expect(await test.definition()).to.equal(was);
      await expectNoLeaks(test);
    });

    it('4: the tables are swapped, and what was to follow failed', async () => {
      const hooks = await executable('lhm-on-after-cut-over', 'echo no mail; exit 7');
      const { code, stderr } = await migrate(...hooks);
      expect(stderr).to.contain('LHM_HOOK_FAILED').and.contain('it ended with 7: no mail');
      expect(stderr).to.contain('The table: swapped.');
      expect(code).to.equal(4);
      expect(await isChanged()).to.equal(true);
      // What is left is named, and removed like that.
      for (const [, statement] of stderr.matchAll(/^Left: (.*);$/gm)) await test.query(statement!);
      await expectNoLeaks(test);
    });

    it('5: the server was gone at the RENAME, and nobody can say how the table stands', async () => {
      let gone = false;
      const proxy = await ConnectionProxy.start((client) => {
        if (gone) {
          client.destroy();
          return [];
        }
        const socket = dial(server.connection);
        client.on('data', (part: Buffer) => {
          if (!/RENAME TABLE .*`emails`/.test(part.toString('latin1'))) socket.write(part);
          else {
            gone = true;
            proxy.cut();
          }
        });
        socket.pipe(client);
        return [socket];
      });
      try {
        const through = env({ ...server.connection, ...proxy.address });
        const { code, stderr } = await lhm(['migrate', 'emails', CHANGE, '--reconnect-ms', '1000'], through);
        expect(stderr).to.contain('The table: unknown.').and.contain('Left: ');
        expect(code).to.equal(5);
      } finally {
        await proxy.stop();
      }
      expect((await lhm(['clean-up'], env())).code).to.equal(0);
      expect(await test.definition()).to.equal(was);
      await expectNoLeaks(test);
    });

    it('5: a migration that is there and does not answer, because its hook does not', async () => {
      const hooks = await executable('lhm-on-interactive-command', 'sleep 60');
      const slowly = ['--chunk-rows', '5', '--chunk-pause-ms', '1000', '--progress', 'lines'];
      const migration = new Lhm(['migrate', 'emails', CHANGE, ...slowly, ...hooks], env());
      await until('it to copy', () => /: copy/.test(migration.stderr) || undefined);
      const [status, pause] = await Promise.all([lhm(['status'], env()), lhm(['pause'], env())]);
      expect(status.stderr).to.contain('no answer within 5000 ms');
      expect([status.code, pause.code]).to.deep.equal([5, 5]);
      process.kill(migration.pid, 'SIGTERM');
      expect((await migration.end).code).to.equal(3);
      await expectNoLeaks(test);
    });
  });
}
