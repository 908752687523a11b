import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { HookContext } from '../../lib';
import { messageOf } from '../../lib/database/server-error';
import { Refusal } from '../../lib/errors';
import { runScripts } from '../../lib/migration/hook-scripts';
import { Hooks } from '../../lib/migration/hooks';
import { ProgressTracker } from '../../lib/progress/progress-tracker';

const PROGRAM = resolve(__dirname, '../../dist/migration/run-executable.js');

describe('executables', () => {
  it('fail, and do not end the process, where no more files can be opened', () => {
    const text = `
      const { openSync } = require('node:fs');
      const { runExecutable } = require(${JSON.stringify(PROGRAM)});
      require('node:child_process');
      try { for (;;) openSync('/dev/null', 'r'); } catch {}
      runExecutable('/bin/true', {}, 5000).then(() => process.exit(1), (error) => process.exit(/EMFILE/.test(error.message) ? 7 : 2));`;
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, text],
      {
        encoding: 'utf8',
        timeout: 20_000,
      },
    );
    expect(status, stderr).to.equal(7);
  });

  describe('of a folder of hooks', () => {
    let folder: string;
    let path: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lhm-executables-'));
      path = join(folder, 'lhm-on-startup');
    });
    afterEach(() => rm(folder, { recursive: true }));

    const run = (): Promise<string> =>
      runScripts({ directory: folder, hint: '', timeoutMs: 20_000 }, 'onStartup', {}).then(
        () => 'done',
        messageOf,
      );

    async function script(text: string): Promise<void> {
      await writeFile(path, text);
      await chmod(path, 0o755);
    }

    it('may be no files, or no executable ones', async () => {
      await mkdir(path);
      await writeFile(`${path}-text`, '#!/bin/sh\nexit 1');
      expect(await run()).to.equal('done');
    });

    it('stop what was to be done where they lead nowhere or have no interpreter', async () => {
      await symlink(join(folder, 'gone'), path);
      expect(await run()).to.match(/lhm-on-startup: it is a link that leads nowhere \(.*ENOENT/);
      await rm(path);
      await script('echo no interpreter\n');
      expect(await run(), 'by sh, as a shell does').to.equal('done');
      await script('#!/no/such/interpreter\n');
      expect(await run()).to.match(/lhm-on-startup: .*ENOENT/);
    });

    it('may print megabytes, of which the end is kept', async () => {
      const print = (n: number): string => `head -c ${n}000000 /dev/zero | tr '\\0' x`;
      await script(`#!/bin/sh\n${print(20)}\n${print(20)} >&2\nexit 0\n`);
      expect(await run()).to.equal('done');
      await script(`#!/bin/sh\n${print(20)} >&2\necho; echo the end\nexit 4\n`);
      expect(await run()).to.match(/it ended with 4: x{1000,2000}\s*the end$/);
    });
  });

  it('that are run while a stopped test is taken back are run all the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lhm-executables-'));
    try {
      const log = join(folder, 'log');
      const script = join(folder, 'lhm-on-start-replication');
      await writeFile(script, `#!/bin/sh\necho started > ${log}\n`);
      await chmod(script, 0o755);
      const context: HookContext = {
        ...{ table: 'a.b', ghostTable: 'c', oldTable: 'd', alter: null },
        progress: new ProgressTracker('a.b').snapshot(),
      };
      const stopped = AbortSignal.abort(new Refusal('LHM_PANIC', 'enough', ''));
      await new Hooks(
        { directory: folder },
        () => context,
        () => undefined,
        () => undefined,
        stopped,
      ).run('onStartReplication');
      expect(await readFile(log, 'utf8')).to.equal('started\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
