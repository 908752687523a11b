import { lstat, stat } from 'node:fs/promises';
import { clock } from './clock';

/** How long a file system may take, in ms: one on a server that is gone may never answer. */
const ANSWER_WITHIN_MS = 3000;

/** Where the last look has not come back yet. Each of them keeps a thread of the few that this process has for files. */
const hanging = new Set<string>();

/**
 * Whether there is a file of this name, of whatever kind. A link that leads nowhere counts as one: somebody has put it there,
 * and what it leads to may only be away.
 *
 * @throws Error when it cannot be looked for, or not in time
 */
export async function fileExists(
  path: string,
  look = lookFor,
  withinMs = ANSWER_WITHIN_MS,
): Promise<boolean> {
  if (hanging.has(path)) throw late();
  const found = look(path);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => {
      hanging.add(path);
      reject(late());
    }, withinMs);
  });
  const settled = (): void => {
    clock.clearTimeout(timer);
    hanging.delete(path);
  };
  found.then(settled, settled);
  return Promise.race([found, limit]);
}

function late(): Error {
  return new Error('the file system does not answer');
}

async function lookFor(path: string): Promise<boolean> {
  return (await isFound(stat, path)) || (await isFound(lstat, path));
}

async function isFound(look: (path: string) => Promise<unknown>, path: string): Promise<boolean> {
  try {
    await look(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
