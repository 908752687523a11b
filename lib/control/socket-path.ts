import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

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

/** Sockets of this process, so that two migrations of one table on two servers have two. */
let made = 0;

/** Where the sockets of this account's migrations are. */
export function socketDirectory(): string {
  return process.env['LHM_SOCKET_DIRECTORY'] ?? join(tmpdir(), `lhm-${userInfo().uid}`);
}

/** A path that no other process makes: readable by a person as far as there is room. @param table `schema.table` */
export function newSocketPath(table: string): string {
  const directory = socketDirectory();
  const hash = createHash('sha256').update(table).digest('hex').slice(0, 8);
  const end = `-${hash}-${process.pid}-${++made}.sock`;
  const room = Math.max(0, LONGEST_PATH - Buffer.byteLength(join(directory, end)));
  return join(directory, table.replace(/[^\w.-]/g, '_').slice(0, room) + end);
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
