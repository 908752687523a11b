import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ProgressTracker } from '../../lib/progress/progress-tracker';
import { Lhm, lhm, type LhmResult } from '../support/lhm-cli';
import { until } from '../support/test-table-process-list';

const TABLE = 'shop.odd "name" 🦣.x';

type Serve = (socket: Socket) => void;

/** What stands where a migration's socket would, and does not do what a migration does. */
describe('lhm and sockets', function () {
  this.timeout(60_000);
  let folder: string;
  let env: NodeJS.ProcessEnv;
  const servers = new Map<Server, Set<Socket>>();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lhm-sockets-'));
    env = { LHM_SOCKET_DIRECTORY: folder };
  });
  afterEach(async () => {
    await Promise.all([...servers.keys()].map(stop));
    await rm(folder, { recursive: true });
  });

  async function stand(serve: Serve, name = 'one.sock'): Promise<Server> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      serve(socket);
    });
    servers.set(server, sockets);
    await new Promise<void>((resolve) => server.listen(join(folder, name), resolve));
    return server;
  }

  async function stop(server: Server): Promise<void> {
    for (const socket of servers.get(server) ?? []) socket.destroy();
    servers.delete(server);
    await new Promise((resolve) => server.close(resolve));
  }

  const answer =
    (text: string): Serve =>
    (socket) => {
      socket.resume();
      socket.end(text);
    };
  const data = new ProgressTracker(TABLE).snapshot();
  const well = answer(`${JSON.stringify({ ok: true, text: 'it stands well', data })}\n`);
  const endless: Serve = (socket) => {
    socket.resume();
    const more = (): void => {
      if (!socket.destroyed) socket.write('x'.repeat(65_536), () => setImmediate(more));
    };
    more();
  };

  it('is honest of what is no migration, or is busy, in bounded time', async () => {
    const stands: readonly (readonly [name: string, serve: Serve, says: RegExp])[] = [
      ['silent', (socket) => void socket.resume(), /no answer within 5000 ms/],
      ['full', (socket) => void socket.destroy(), /without an answer|ECONNRESET|EPIPE/],
      ['garbage', answer('\u001b[2J220 mail.example ESMTP\r\n'), /no answer\)/],
      ['json', answer('{"ok":true}\n'), /no answer\)/],
      ['empty', answer('{"ok":true,"text":"","data":{"table":"a"}}\n'), /no answer\)/],
      ['hook', answer('{"ok":false,"text":"not \\u001b[2J now"}\n'), /refuses to: not {2}\[2J now/],
      ['endless', endless, /no end/],
    ];
    for (const [name, serve] of stands) await stand(serve, `${name}.sock`);
    for (const args of [
      ['status', '--json'],
      ['status', TABLE],
      ['panic', TABLE],
    ]) {
      const began = performance.now();
      const { code, stdout, stderr } = await lhm(args, env);
      expect(performance.now() - began, 'ms').to.be.below(20_000);
      expect(code, stderr).to.equal(5);
      expect(stdout).to.match(/^(\[\]\n)?$/);
      expect(stderr).not.to.contain('\u001b');
      for (const [name, , says] of stands)
        expect(stderr.split('\n').find((line) => line.includes(`${name}.sock`))).to.match(says);
    }
  });

  it('does not take the one that answers for the one that is meant while another is silent', async () => {
    await stand(well);
    await stand(answer('?\n'), 'two.sock');
    const [status, pause, named] = await Promise.all([
      lhm(['status'], env),
      lhm(['pause'], env),
      lhm(['pause', TABLE], env),
    ]);
    expect(status).to.include({ code: 5, stdout: 'it stands well\n' });
    expect(status.stderr).to.contain('two.sock');
    expect(pause.code).to.equal(2);
    expect(pause.stderr).to.contain('Say which').and.contain('two.sock');
    expect(named).to.include({ code: 0, stdout: 'it stands well\n' });
  });

  it('watches one that does not answer for a while, and says that it has ended when it is gone', async () => {
    let serve: Serve = (socket) => void socket.destroy();
    const server = await stand((socket) => serve(socket));
    const watch = new Lhm(['watch', '--interval-ms', '50'], env);
    const ended: { result?: LhmResult } = {};
    void watch.end.then((result) => (ended.result = result));
    const said = (what: RegExp, times: number): Promise<unknown> =>
      until(String(what), () => {
        if (ended.result !== undefined) throw new Error(`it has ended: ${JSON.stringify(ended.result)}`);
        return Promise.resolve(watch.stdout.split(what).length > times || undefined);
      });
    await said(/one\.sock: does not answer .*; it is asked again\n/, 2);
    serve = well;
    await said(/odd "name" 🦣\.x: plan\n/, 2);
    serve = answer('{"ok":false,"text":"the hook does not want it"}\n');
    await said(/🦣\.x: does not answer \(it refuses to: the hook does not want it\)/, 2);
    serve = well;
    await stop(server);
    const { code, stdout } = await watch.end;
    expect(stdout).to.match(/🦣\.x: it has ended\n$/);
    expect(code).to.equal(0);
  });

  it('says of one whose process was killed while it was watched that it did not come to its end', async () => {
    const reply = JSON.stringify({ ok: true, text: 'it stands well', data });
    const listen = `require('net').createServer((s) => s.end(process.argv[2] + '\\n')).listen(process.argv[1])`;
    const killed = spawn(process.execPath, ['-e', listen, join(folder, 'one.sock'), reply], {
      timeout: 30_000,
    });
    await until('its socket', () => Promise.resolve(existsSync(join(folder, 'one.sock')) || undefined));
    const watch = new Lhm(['watch', '--interval-ms', '50'], env);
    await until('a line', () => Promise.resolve(watch.stdout.includes('plan\n') || undefined));
    killed.kill('SIGKILL');
    const { code, stdout, stderr } = await watch.end;
    expect(stdout).not.to.contain('it has ended');
    expect(stderr).to.contain(`${TABLE}: its process is gone without having ended the migration`);
    expect(stderr).to.contain('lhm clean-up');
    expect(code).to.equal(5);
  });

  it('watches no longer than somebody reads', async () => {
    await stand(well);
    const watch = new Lhm(['watch', '--interval-ms', '50'], { ...env, NO_COLOR: '1' });
    await until('a line', () => Promise.resolve(watch.stdout.includes('plan\n') || undefined));
    watch.leave();
    const { code, stderr } = await watch.end;
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    expect(watch.stdout).not.to.contain('\u001b');
  });

  it('draws on a terminal that can, however narrow, and writes lines on one that cannot', async () => {
    const server = await stand(well);
    const [narrow, dumb] = ['xterm', 'dumb'].map(
      (TERM) => new Lhm(['watch', '--interval-ms', '50'], { ...env, TERM }, '', true),
    ) as [Lhm, Lhm];
    for (const watch of [narrow, dumb])
      await until('lines', () => Promise.resolve(watch.stdout.split('plan').length > 3 || undefined));
    await stop(server);
    await Promise.all([narrow.end, dumb.end]);
    expect(narrow.stdout)
      .to.contain('\u001b[2J')
      .and.match(/rows\/s {3}▁{1,8} 0\r?\n/);
    expect(dumb.stdout).to.not.contain('\u001b');
    expect(dumb.stdout).to.contain('it has ended');
  });

  it('says at once that there is none where a process left a socket, or something else', async () => {
    await stand(well);
    await unlink(join(folder, 'one.sock'));
    for (const args of [['watch'], ['panic', TABLE]])
      expect((await lhm(args, env)).code, args.join(' ')).to.equal(2);
  });
});
