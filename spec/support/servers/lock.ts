import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const BEAT_MS = 2_000;
const STALE_MS = 30_000;

/**
 * Runs `work` while no other process on the same cache does. The holder touches the lock file every two seconds;
 * one that has not been touched for thirty was left by a process that is gone (a process id would not tell:
 * ids are used again, and containers that share a home folder have ids of their own).
 *
 * Whoever loses the lock by being suspended for long does no harm: all results are made under names of their own
 * and put in place by one rename.
 */
export async function withLock<T>(path: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  const token = randomUUID();
  for (let attempt = 0; !(await tryTake(path, token)); attempt += 1) {
    if (attempt === 2) {
      waiting();
    }
    await removeIfStale(path);
    await sleep(200);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, BEAT_MS);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await readFile(path, 'utf8').catch(() => '')) === token) {
      await rm(path, { force: true });
    }
  }
}

async function tryTake(path: string, token: string): Promise<boolean> {
  try {
    await writeFile(path, token, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

async function removeIfStale(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS) {
    // A rename, so that of two processes which both see a stale lock only one removes it.
    const aside = `${path}.stale-${randomUUID()}`;
    await rename(path, aside).catch(() => undefined);
    await rm(aside, { force: true });
  }
}
