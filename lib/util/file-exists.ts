import { stat } from 'node:fs/promises';

/**
 * Whether there is a file of this name.
 *
 * @throws Error when it cannot be looked for
 */
export async function fileExists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
