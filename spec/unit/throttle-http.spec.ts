import { expect } from 'chai';
import { createServer, type Server, type Socket } from 'node:net';

import type { LiveSettings } from '../../lib/options/live-settings';
import { Poller } from '../../lib/throttle/poller';
import { Http } from '../../lib/throttle/sources/http';
import { until } from '../support/test-table-process-list';

type Serve = (socket: Socket) => void;

const say =
  (text: string): Serve =>
  (socket) =>
    socket.write(text);

/** Says the text over and over. */
const endless =
  (begin: string, text: string, everyMs = 0): Serve =>
  (socket) => {
    const more = (): void => {
      if (!socket.destroyed) socket.write(text, () => setTimeout(more, everyMs));
    };
    socket.write(begin, more);
  };

describe('throttle.http', function () {
  this.timeout(60_000);
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });

  /** A site that serves one like this, asked again and again. */
  async function site(serve: Serve): Promise<{ poller: Poller; mend: () => void; open: Set<Socket> }> {
    const open = new Set<Socket>();
    let now = serve;
    const server: Server = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
      socket.once('data', () => now(socket));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as { port: number };
    const throttle = { http: `http://127.0.0.1:${port}/?secret` };
    const poller = new Poller(new Http({ throttle } as unknown as LiveSettings), 20, () => undefined);
    stops.push(async () => {
      await poller.stop();
      for (const socket of open) socket.destroy();
      await new Promise((closed) => server.close(closed));
    });
    await poller.start();
    return { poller, mend: () => (now = say('HTTP/1.1 200 OK\r\n\r\n')), open };
  }

  for (const [what, serve, reason] of [
    ['fails', say('HTTP/1.1 503 No\r\n\r\n'), /answered 503$/],
    ['knows no HEAD', say('HTTP/1.1 405 No\r\nAllow: GET\r\n\r\n'), /answered 405 to HEAD$/],
    ['sends elsewhere', say('HTTP/1.1 302 No\r\nLocation: /\r\n\r\n'), /answered 302 and is not followed$/],
    ['switches protocols', say('HTTP/1.1 101 No\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'), /hung up/],
    ['hangs up', (socket) => socket.destroy(), /cannot be asked/],
    ['is no web site', say('SSH-2.0-OpenSSH\r\n'), /cannot be asked/],
    ['never ends its head', endless('HTTP/1.1 200 OK\r\n', `X: ${'x'.repeat(1000)}\r\n`), /cannot be asked/],
    ['answers byte by byte', endless('HTTP/1.1 200 OK\r\n', 'x', 100), /does not answer/],
    ['goes on promising', endless('', 'HTTP/1.1 100 Continue\r\n\r\n', 100), /does not answer/],
  ] as readonly (readonly [string, Serve, RegExp])[]) {
    it(`holds for one that ${what}, says why, and goes on when it is mended`, async () => {
      const { poller, mend, open } = await site(serve);
      expect(poller.reason).to.match(reason).and.not.contain('secret');
      mend();
      await until('that it is clear', () => Promise.resolve(poller.reason === null || undefined));
      await poller.stop();
      await until('no connection left', () => Promise.resolve(open.size === 0 || undefined));
    });
  }

  it('is clear where a 200 is followed by a body without end, of which nothing is read', async () => {
    const { poller, open } = await site(endless('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536)));
    expect(poller.reason).to.equal(null);
    await poller.stop();
    await until('no connection left', () => Promise.resolve(open.size === 0 || undefined));
  });
});
