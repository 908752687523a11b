import { createConnection, type NetConnectOpts } from 'node:net';
import { clock } from '../util/clock';

/** What a program says: the name of a command, and its value where it takes one. */
export interface Request {
  readonly command: string;
  readonly value?: string;
}

/** What it is answered: in words, and with `status` as data as well. */
export interface Reply {
  readonly ok: boolean;
  readonly text: string;
  readonly data?: unknown;
}

/** How long a server that does not answer is waited for, in ms. */
const PATIENCE_MS = 5000;

/** Where a migration listens: the path of its socket, or `host:port`. */
export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

/**
 * Asks a running migration once.
 *
 * @param token what TCP asks for
 * @throws Error when nobody is there, or does not answer in time
 */
export async function ask(
  address: Address,
  request: Request,
  { token, withinMs = PATIENCE_MS }: { readonly token?: string; readonly withinMs?: number } = {},
): Promise<Reply> {
  const socket = createConnection(address as NetConnectOpts);
  const timer = clock.setTimeout(
    () => socket.destroy(new Error(`no answer within ${withinMs} ms`)),
    withinMs,
  );
  try {
    socket.setEncoding('utf8');
    socket.end(`${JSON.stringify(token === undefined ? request : { ...request, token })}\n`);
    let answer = '';
    for await (const part of socket) answer += part as string;
    if (answer === '') throw new Error('it ended without an answer');
    return JSON.parse(answer) as Reply;
  } finally {
    clock.clearTimeout(timer);
    socket.destroy();
  }
}

/** Whether anybody listens there. */
export async function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const end = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.once('connect', () => end(true));
    socket.once('error', (error: NodeJS.ErrnoException) => end(!NOBODY.has(String(error.code))));
  });
}

/** Anything else may be somebody who is busy. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOENT']);
