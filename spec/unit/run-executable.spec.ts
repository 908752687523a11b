import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { HookContext } from '../../lib';
import { Refusal } from '../../lib/errors';
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
