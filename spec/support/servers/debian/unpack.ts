import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { runOrThrow } from '../run';

/** Puts the files of all packages into one folder, without running any of their scripts. */
export async function unpack(files: readonly string[], tree: string): Promise<void> {
  await mkdir(tree);
  for (const file of files) {
    // Perl is for the scripts beside the server.
    if (!/\/(lib)?perl[^/]*$/.test(file)) {
      await runOrThrow(['dpkg-deb', '--extract', file, tree]);
    }
  }
  for (const name of ['doc', 'man', 'locale', 'lintian']) {
    await rm(join(tree, 'usr', 'share', name), { recursive: true, force: true });
  }
}
