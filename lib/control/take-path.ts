import { lstat, readdir, rename, unlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { clock } from '../util/clock';
import { isAlive } from './client';
import { checkLength } from './socket-path';

/** What a socket is called until it gets its own name, in the same folder. */
const CANDIDATE = /^\.lhm[0-9a-f]{6}$/;

/** By then a candidate that is made listens, in ms. */
const BORN_WITHIN_MS = 2000;

/** How long others who want the same may come first, in ms: longer than one that was killed may be in the way. */
const PATIENCE_MS = 10_000;

/**
 * Listens at a path, in place of a socket that a dead process has left there. A socket cannot be bound where there is one, and
 * who merely unlinks what looked dead may hit the one that somebody else has made since. So each binds under a name of its own
 * and then looks whether there is another who does: of two who do, at least one sees the other and withdraws. Who is alone
 * looks at the path, and renames.
 *
 * @param listen makes a server that listens at a path; its closing must remove what it has bound
 * @throws Error when another process listens there, or there is something else than a socket, which somebody may need
 */
export async function takePath<T>(
  path: string,
  listen: (path: string) => Promise<T>,
  close: (server: T) => Promise<void>,
): Promise<T> {
  const until = clock.monotonic() + PATIENCE_MS;
  for (let attempt = 1; ; attempt++) {
    await refuseTaken(path);
    const own = join(dirname(path), `.lhm${randomBytes(3).toString('hex')}`);
    checkLength(own);
    const server = await listen(own);
    try {
      if (await isAlone(own)) {
        await refuseTaken(path);
        await rename(own, path);
        return server;
      }
      if (clock.monotonic() >= until) throw new Error('others want to listen there, too');
    } catch (error) {
      await close(server);
      throw error;
    }
    await close(server);
    await clock.sleep(10 + Math.random() * Math.min(500, 20 * attempt));
  }
}

async function refuseTaken(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) throw new Error('there is something, and it is no socket');
  if (await isAlive({ path })) throw new Error('another process listens there');
}

/** Whether nobody else is about to take a path of the folder. What those who died meanwhile have left is removed. */
async function isAlone(own: string): Promise<boolean> {
  const folder = dirname(own);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!CANDIDATE.test(name) || path === own) continue;
    if (await isAlive({ path })) return false;
    const found = await lstat(path).catch(() => null);
    if (found === null) continue;
    // It may be bound, and not listen yet.
    if (clock.now() - found.mtimeMs < BORN_WITHIN_MS) return false;
    // The name is nobody else's, nor will be.
    await unlink(path).catch(() => undefined);
  }
  return true;
}
