import { timingSafeEqual, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Reply } from './client';
import { clock } from '../util/clock';
import { BadCommand, runCommand, whatWentWrong, type CommandContext } from './commands';

/** A longer line is no command, in bytes. */
const LONGEST_LINE = 8192;

/** What a client may leave unread before it is let go, in bytes. */
const MOST_UNREAD = 256 * 1024;

/** Commands of one client that may wait for those before; then it is not listened to until they are done. */
const MOST_WAITING = 100;

/** An object, so that a spec need not wait. */
export const patience = {
  /** How long a client that must say a token may take for it, in ms. */
  tokenMs: 10_000,
};

export interface ConnectionDeps {
  readonly context: CommandContext;
  /** What a client must say before anything else; null where the file's mode decides who may come in. */
  readonly token: string | null;
  /** Told of every command before it is run; may refuse it by throwing. */
  readonly before: (command: string, value: string | null) => Promise<void>;
}

/** A client that is served. */
export interface Served {
  /** Whether it has said its token, or needs none. */
  isTrusted(): boolean;
  /** When it said something last, by the monotonic clock in ms, or came; Infinity while it is being answered. */
  silentSince(): number;
  /** Answers what it has said so far, and hangs up. */
  finish(): void;
  /** Hangs up. */
  drop(): void;
}

/** One client: lines for a person, JSON for a program, one after the other. Nothing that it says or does can harm the run. */
export function serveClient(socket: Socket, deps: ConnectionDeps): Served {
  const state = { rest: Buffer.alloc(0), trusted: deps.token === null, deaf: false, over: false };
  let queue: Promise<void> = Promise.resolve();
  let waiting = 0;
  let answering = 0;
  let heardAt = clock.monotonic();

  const say = (reply: Reply, json: boolean): void => {
    if (state.over) return;
    socket.write(json ? `${JSON.stringify(reply)}\n` : `${reply.ok ? '' : 'error: '}${reply.text}\n`);
    // A client that never reads would make us keep everything for it.
    if (socket.writableLength > MOST_UNREAD) close();
  };
  const close = (): void => {
    state.over = true;
    socket.destroy();
  };
  const untrusted = state.trusted ? undefined : clock.setTimeout(close, patience.tokenMs);
  const take = (line: string): void => {
    if (++waiting > MOST_WAITING) socket.pause();
    answering += 1;
    const answered = (): void => {
      answering -= 1;
      heardAt = clock.monotonic();
    };
    const reply = async (): Promise<void> => {
      if (--waiting === 0) socket.resume();
      if (state.over) return;
      const json = line.startsWith('{');
      say(await answer(line, deps, state), json);
      if (state.trusted) clock.clearTimeout(untrusted);
      else close();
    };
    queue = queue.then(reply).finally(answered);
  };
  socket.on('data', (part: Buffer) => {
    if (state.over || state.deaf) return;
    let rest = Buffer.concat([state.rest, part]);
    for (let at = rest.indexOf(10); at >= 0 && at <= LONGEST_LINE; at = rest.indexOf(10)) {
      const line = rest.subarray(0, at).toString('utf8').trim();
      rest = rest.subarray(at + 1);
      if (line !== '') take(line);
    }
    state.rest = rest;
    if (rest.length > LONGEST_LINE) {
      // What comes before may take long; the rest is not kept meanwhile.
      state.deaf = true;
      state.rest = Buffer.alloc(0);
      queue = queue.then(() => {
        say({ ok: false, text: `a line has at most ${LONGEST_LINE} bytes` }, false);
        state.over = true;
        socket.end();
      });
    }
  });
  // `echo status | nc` closes its side at once, and still wants the answer.
  socket.on('end', () => {
    const line = state.rest.toString('utf8').trim();
    state.rest = Buffer.alloc(0);
    if (line !== '' && line.length <= LONGEST_LINE) take(line);
    void queue.then(() => socket.end());
  });
  socket.on('error', close);
  socket.on('close', () => clock.clearTimeout(untrusted));
  const finish = (): void =>
    void queue.then(() => {
      state.over = true;
      socket.destroySoon();
    });
  const silentSince = (): number => (answering > 0 ? Infinity : heardAt);
  return { isTrusted: () => state.trusted, silentSince, finish, drop: close };
}

async function answer(line: string, deps: ConnectionDeps, state: { trusted: boolean }): Promise<Reply> {
  try {
    const { command, value, token } = line.startsWith('{') ? fromJson(line) : fromText(line);
    if (!state.trusted) {
      const said = token ?? (command === 'token' ? value : null);
      if (said === null || !isSame(said, deps.token ?? ''))
        throw new BadCommand('the token is missing or wrong');
      state.trusted = true;
    }
    // Also where it was not needed: nobody else is told.
    if (command === 'token') return { ok: true, text: 'welcome' };
    await deps.before(command, value);
    return { ok: true, ...(await runCommand(deps.context, command, value)) };
  } catch (error) {
    return { ok: false, text: whatWentWrong(error) };
  }
}

interface Said {
  readonly command: string;
  readonly value: string | null;
  readonly token: string | null;
}

function fromText(line: string): Said {
  const at = line.indexOf('=');
  if (at < 0) return { command: line, value: null, token: null };
  return { command: line.slice(0, at).trim(), value: line.slice(at + 1).trim(), token: null };
}

function fromJson(line: string): Said {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    throw new BadCommand('this is no JSON');
  }
  const { command, value = null, token = null } = (said ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof command !== 'string') throw new BadCommand('"command" must be a string');
  if (token !== null && typeof token !== 'string') throw new BadCommand('"token" must be a string');
  if (value !== null && typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    throw new BadCommand('"value" must be a string, a number, true or false');
  return { command, value: value === null ? null : String(value), token };
}

/** Takes as long whatever is wrong with it. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
