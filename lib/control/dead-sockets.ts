import { unlink } from 'node:fs/promises';
import { isAlive } from './client';
import { isOurs, mayBeOf, socketPaths } from './socket-path';

/**
 * Sockets that processes left which are gone. A name of ours is never used twice, so what is dead under it stays so.
 *
 * @param table `schema.table`, or the table alone; null for all
 */
export async function deadSockets(table: string | null = null): Promise<string[]> {
  const dead: string[] = [];
  for (const path of await socketPaths())
    if (isOurs(path) && (table === null || mayBeOf(path, table)) && !(await isAlive({ path })))
      dead.push(path);
  return dead;
}

/** Never rejects: it may be gone. */
export async function removeSocket(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}
