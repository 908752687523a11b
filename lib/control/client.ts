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

/** No answer is longer, in characters. */
const LONGEST_ANSWER = 1024 * 1024;

/** Where a migration listens: the path of its socket, or `host:port`. */
export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

/** The socket is gone, or no process is behind it any more. */
export class NobodyThere extends Error {}

export interface AskOptions {
  /** What TCP asks for. */
  readonly token?: string;
  /** Default 5000. */
  readonly withinMs?: number;
  /** Once the answer is nobody's concern. */
  readonly signal?: AbortSignal;
}

/**
 * Asks a running migration once.
 *
 * @throws NobodyThere, or Error when somebody is there who does not answer in time or says something else
 */
export async function ask(
  address: Address,
  request: Request,
  { token, withinMs = PATIENCE_MS, signal }: AskOptions = {},
): Promise<Reply> {
  const socket = createConnection(address as NetConnectOpts);
  const timer = clock.setTimeout(
    () => socket.destroy(new Error(`no answer within ${withinMs} ms`)),
    withinMs,
  );
  signal?.addEventListener('abort', () => socket.destroy(new Error('the answer is not wanted any more')));
  try {
    socket.setEncoding('utf8');
    socket.end(`${JSON.stringify(token === undefined ? request : { ...request, token })}\n`);
    let answer = '';
    for await (const part of socket) {
      answer += part as string;
      if ((part as string).includes('\n')) break;
      if (answer.length > LONGEST_ANSWER) throw new Error('what it sends has no end');
    }
    return replyIn(answer);
  } catch (error) {
    if (isNobody(error)) throw new NobodyThere('nobody is there');
    // It may have ended just when it was asked.
    if (isHangUp(error) && !(await isAlive(address))) throw new NobodyThere('it has ended meanwhile');
    throw error;
  } finally {
    clock.clearTimeout(timer);
    socket.destroy();
  }
}

/** Whoever listens there need not be a migration. */
function replyIn(answer: string): Reply {
  if (answer === '') throw new HungUp('it ended without an answer');
  let reply: unknown;
  try {
    reply = JSON.parse(answer);
  } catch {
    throw new Error('what it sends is no answer');
  }
  const { ok, text, data } = (reply ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof ok !== 'boolean' || typeof text !== 'string') throw new Error('what it sends is no answer');
  // It is shown on terminals.
  const shown = text.replace(/[^\P{Cc}\n]/gu, ' ');
  return data === undefined ? { ok, text: shown } : { ok, text: shown, data };
}

/** Whether anybody listens there. */
export async function isAlive(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(address as NetConnectOpts);
    const timer = clock.setTimeout(() => end(true), PATIENCE_MS);
    const end = (alive: boolean): void => {
      clock.clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    socket.once('connect', () => end(true));
    socket.once('error', (error) => end(!isNobody(error)));
  });
}

class HungUp extends Error {}

function isHangUp(error: unknown): boolean {
  return error instanceof HungUp || HANG_UP.has(String((error as NodeJS.ErrnoException).code));
}

const HANG_UP = new Set(['ECONNRESET', 'EPIPE']);

/** Anything else may be somebody who is busy. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOENT']);

function isNobody(error: unknown): boolean {
  return NOBODY.has(String((error as NodeJS.ErrnoException).code));
}
