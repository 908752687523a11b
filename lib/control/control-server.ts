import { createServer, type Server, type Socket } from 'node:net';
import { messageOf } from '../database/server-error';
import { Refusal } from '../errors';
import { debugLog } from '../events/debug-log';
import type { ResolvedControl } from '../options/control-options';
import { deadSockets, removeSocket } from './dead-sockets';
import { KeptSocket } from './kept-socket';
import { takePath } from './take-path';
import { serveClient, type ConnectionDeps, type Served } from './control-connection';
import { checkLength, newSocketPath, ownDirectory } from './socket-path';
import { clock } from '../util/clock';

const log = debugLog('control');

/** Clients at the same time; for the next one, the one that has been silent for longest makes way. */
const MOST_CLIENTS = 32;

/** How long clients may take to read their last answers at the end, in ms. */
const LAST_WORDS_MS = 500;

interface Listening {
  readonly server: Server;
  readonly clients: Set<Served>;
}

/** Where a person or a program can speak to the migration. */
export interface ControlServer {
  /** The unix socket's path; null where there is none. */
  readonly path: string | null;
  /** Never rejects. */
  close(): Promise<void>;
}

/**
 * Listens, on a unix socket that only its owner may use and, if asked for, on TCP. The table that is migrated counts more
 * than being reachable: where nobody asked for a socket by name, one that cannot be had is done without.
 *
 * @throws Refusal LHM_CONTROL when what was asked for by name cannot be had
 */
export async function startControl(
  control: ResolvedControl,
  table: string,
  { warn, ...deps }: Omit<ConnectionDeps, 'token'> & { readonly warn: (message: string) => void },
): Promise<ControlServer> {
  const servers: Listening[] = [];
  let kept: KeptSocket | null = null;
  const close = async (): Promise<void> => {
    // First of all: whoever is hung up on without an answer looks whether anybody still listens.
    await kept?.remove();
    const closed = servers.map(closeServer);
    const all = servers.flatMap(({ clients }) => [...clients]);
    for (const client of all) client.finish();
    // One that never reads has never read everything, and a hook may never say whether its command may be run.
    const letGo = clock.setTimeout(() => all.forEach((client) => client.drop()), LAST_WORDS_MS);
    await Promise.all(closed);
    clock.clearTimeout(letGo);
  };
  try {
    if (control.socket !== false) {
      const path = control.socket === true ? newSocketPath(table) : control.socket;
      checkLength(path);
      let last: Listening | null = null;
      const listenAnew = async (): Promise<void> => {
        if (control.socket === true) await ownDirectory();
        const before = last;
        last = await takePath(path, (at) => listen({ path: at }, { ...deps, token: null }), closeServer);
        servers.push(last);
        // Nobody finds it any more; its clients are served on.
        before?.server.close();
      };
      if (control.socket === true) for (const dead of await deadSockets()) await removeSocket(dead);
      kept = new KeptSocket(path, listenAnew, warn);
      await kept.open();
    }
  } catch (error) {
    await close();
    servers.length = 0;
    kept = null;
    log('no socket: %s', messageOf(error));
    if (typeof control.socket === 'string') throw refused(`socket '${control.socket}'`, error);
    warn(`The migration cannot be controlled by a unix socket: ${messageOf(error)}.`);
  }
  if (control.tcp !== false) {
    try {
      const at = control.tcp.lastIndexOf(':');
      const host = control.tcp.slice(0, at).replace(/^\[|\]$/g, '');
      const port = Number(control.tcp.slice(at + 1));
      servers.push(await listen({ host, port }, { ...deps, token: control.token }));
      log('listening on %s', control.tcp);
    } catch (error) {
      await close();
      throw refused(`address '${control.tcp}'`, error);
    }
  }
  return { path: kept?.path ?? null, close };
}

async function closeServer({ server }: Listening): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

async function listen(
  where: { path: string } | { host: string; port: number },
  deps: ConnectionDeps,
): Promise<Listening> {
  const clients = new Set<Served>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (clients.size >= MOST_CLIENTS && !makeRoom(clients)) {
      turnAway(socket);
      return;
    }
    const client = serveClient(socket, deps);
    clients.add(client);
    socket.on('close', () => clients.delete(client));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Between its making and the change of its mode nobody may come in.
    const mask = 'path' in where ? narrowMask() : null;
    try {
      server.listen(where, () => resolve());
    } finally {
      if (mask !== null) process.umask(mask);
    }
  });
  server.on('error', (error) => log('%s', messageOf(error)));
  // Nobody who merely listens keeps the process.
  server.unref();
  return { server, clients };
}

/** Lets go of one that is silent, who keeps nobody out: first of all one that has not said its token. */
function makeRoom(clients: Set<Served>): boolean {
  const silent = [...clients].filter((client) => client.silentSince() < Infinity);
  const strangers = silent.filter((client) => !client.isTrusted());
  const among = strangers.length > 0 ? strangers : silent;
  const [first] = among.sort((one, other) => one.silentSince() - other.silentSince());
  if (first === undefined) return false;
  clients.delete(first);
  first.drop();
  return true;
}

/** In words: whoever is hung up on without any looks for a reason. */
function turnAway(socket: Socket): void {
  const reply = { ok: false, text: `${MOST_CLIENTS} clients are being answered; try again` };
  const drop = clock.setTimeout(() => socket.destroy(), LAST_WORDS_MS);
  socket.on('error', () => socket.destroy()).on('close', () => clock.clearTimeout(drop));
  socket.resume().end(`${JSON.stringify(reply)}\n`);
}

/** Only the main thread has a mask; elsewhere the directory's mode, or the one given right after, has to do. */
function narrowMask(): number | null {
  try {
    return process.umask(0o177);
  } catch {
    return null;
  }
}

function refused(what: string, cause: unknown): Refusal {
  return new Refusal(
    'LHM_CONTROL',
    `The migration cannot be controlled by the ${what}: ${messageOf(cause)}.`,
    'Choose another one, or leave the option control out.',
    { cause },
  );
}
