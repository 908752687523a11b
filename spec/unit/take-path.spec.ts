import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

import { ask } from '../../lib/control/client';

const DIST = resolve(__dirname, '../../dist/control');

/** Takes the path that it is told, says what came of it, and lets go when told anything. */
const PROGRAM = `
  const { startControl } = require(${JSON.stringify(join(DIST, 'control-server.js'))});
  const operator = { server: () => String(process.pid) };
  const deps = { context: { operator, table: 's.t', forceNamed: false }, before: async () => {}, warn: console.error };
  let control = null;
  require('node:readline').createInterface({ input: process.stdin }).on('line', async (socket) => {
    try {
      if (control !== null) return await control.close().then(() => console.log('gone'));
      control = await startControl({ socket, tcp: false, token: null }, 's.t', deps);
      console.log('listens');
    } catch (error) {
      control = { close: async () => {} };
      console.log(error.message);
    } finally {
      if (socket === 'go') control = null;
    }
  });
  setInterval(() => {}, 1000);
  console.log('ready');`;

class Taker {
  private readonly child: ChildProcess;
  private readonly lines: Interface;
  private readonly iterator: NodeJS.AsyncIterator<string>;

  constructor() {
    this.child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout! });
    this.iterator = this.lines[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.child.pid!;
  }

  async heard(): Promise<string> {
    return String((await this.iterator.next()).value);
  }

  say(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  end(): void {
    this.child.kill('SIGKILL');
  }
}

describe('the path of a control socket', function () {
  this.timeout(60_000);
  const takers: Taker[] = [];
  let folder: string;
  let path: string;

  before(async () => {
    takers.push(...Array.from({ length: 6 }, () => new Taker()));
    for (const taker of takers) expect(await taker.heard()).to.equal('ready');
  });
  after(() => takers.forEach((taker) => taker.end()));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lhm-take-'));
    path = join(folder, 'socket');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function leaveDead(at: string): Promise<void> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(`${at}-`, listening));
    await rename(`${at}-`, at);
    await new Promise((closed) => server.close(closed));
  }

  it('is taken by one of several processes that want it at once, and that one can be reached', async () => {
    for (let round = 1; round <= 10; round++) {
      if (round % 3 > 0) await leaveDead(path);
      // Of one that was killed while it was about to.
      if (round === 1) await leaveDead(join(folder, '.lhm0badc0'));
      for (const taker of takers) taker.say(path);
      const said = await Promise.all(takers.map((taker) => taker.heard()));
      const won = takers.filter((_, i) => said[i] === 'listens');
      expect(won, `round ${round}: ${said.join('\n')}`).to.have.length(1);
      for (const words of said) expect(words).to.match(/^listens$|another process listens there/);
      const { text } = await ask({ path }, { command: 'applier' });
      expect(text, `round ${round}`).to.equal(String(won[0]!.pid));
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
      for (const taker of takers) taker.say('go');
      expect(await Promise.all(takers.map((taker) => taker.heard()))).to.deep.equal(takers.map(() => 'gone'));
      expect(await readdir(folder), 'left').to.deep.equal([]);
    }
  });

  it('is left alone where something else is', async () => {
    await writeFile(path, 'dear');
    takers[0]!.say(path);
    expect(await takers[0]!.heard()).to.contain('it is no socket');
    takers[0]!.say('go');
    await takers[0]!.heard();
    expect(await readdir(folder)).to.deep.equal(['socket']);
  });
});
