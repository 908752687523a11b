import { createHash, randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';

/** What the longest path of a unix socket may be, on the systems with the shortest one (macOS), in bytes. */
const LONGEST_PATH = 103;

/** The same on this system: what is longer would be cut off without a word. */
const LONGEST_HERE = process.platform === 'linux' ? 107 : LONGEST_PATH;

/** @throws Error when no socket can have this path */
export function checkLength(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > LONGEST_HERE)
    throw new Error(`its path has ${bytes} bytes, and a socket's has at most ${LONGEST_HERE}`);
}

/** Where the sockets of this account's migrations are. */
export function socketDirectory(): string {
  return process.env['LHM_SOCKET_DIRECTORY'] ?? join(tmpdir(), `lhm-${userInfo().uid}`);
}

/**
 * A path that was never there before, nor will be again: readable by a person as far as there is room.
 *
 * @param table `schema.table`
 */
export function newSocketPath(table: string): string {
  const directory = socketDirectory();
  const end = `-${hashOf(table)}-${process.pid}-${randomBytes(3).toString('hex')}.sock`;
  const room = Math.max(0, LONGEST_PATH - Buffer.byteLength(join(directory, end)));
  return join(directory, readable(table).slice(0, room) + end);
}

const OURS = /^(.*)-([0-9a-f]{8})-\d+-\w+\.sock$/;

/** Whether `newSocketPath` has made the name, and nobody's option. */
export function isOurs(path: string): boolean {
  return OURS.test(basename(path));
}

/** Whether the socket may be that of a migration of the table. @param table `schema.table`, or the table alone */
export function mayBeOf(path: string, table: string): boolean {
  const [, name, hash] = OURS.exec(basename(path)) ?? [];
  // Somebody's own name, or one that was cut off, tells nothing.
  if (name === undefined || Buffer.byteLength(path) >= LONGEST_PATH) return true;
  return hash === hashOf(table) || name.endsWith(`.${readable(table)}`);
}

function readable(table: string): string {
  return table.replace(/[^\w.-]/g, '_');
}

function hashOf(table: string): string {
  return createHash('sha256').update(table).digest('hex').slice(0, 8);
}

/**
 * Makes the directory, for its owner alone.
 *
 * @throws Error when somebody else has made it: in a folder that everybody may write to, that could be anybody
 */
export async function ownDirectory(directory = socketDirectory()): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (!(await isOwn(directory))) throw new Error(`'${directory}' is no directory of this account's`);
  if (((await lstat(directory)).mode & 0o077) !== 0) await chmod(directory, 0o700);
}

async function isOwn(directory: string): Promise<boolean> {
  const found = await lstat(directory).catch(() => null);
  return found !== null && found.isDirectory() && found.uid === userInfo().uid;
}

/**
 * Sockets that are there; whether anybody answers is another question. In a folder that everybody may write to, somebody else
 * may have made the directory, and would be told what is meant for a migration: unless it was named, it must be this account's.
 */
export async function socketPaths(directory = socketDirectory()): Promise<string[]> {
  if (process.env['LHM_SOCKET_DIRECTORY'] === undefined && !(await isOwn(directory))) return [];
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => name.endsWith('.sock'))
    .sort()
    .map((name) => join(directory, name));
}
