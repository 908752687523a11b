import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** What the longest path of a unix socket may be, on the systems with the shortest one (macOS), in bytes. */
const LONGEST_PATH = 103;

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
  const found = await lstat(directory);
  if (!found.isDirectory() || found.uid !== userInfo().uid)
    throw new Error(`'${directory}' is no directory of this account's`);
  if ((found.mode & 0o077) !== 0) await chmod(directory, 0o700);
}

/** Sockets that are there; whether anybody answers is another question. */
export async function socketPaths(directory = socketDirectory()): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => name.endsWith('.sock'))
    .sort()
    .map((name) => join(directory, name));
}
