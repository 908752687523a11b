import { lstat, stat } from 'node:fs/promises';

/**
 * Whether there is a file of this name, of whatever kind. A link that leads nowhere counts as one: somebody has put it there,
 * and what it leads to may only be away.
 *
 * @throws Error when it cannot be looked for
 */
export async function fileExists(path: string): Promise<boolean> {
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
