import { existsSync } from 'node:fs';
import { utimes, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { withLock } from '../lock';
import { run } from '../run';
import type { Flavor, Installation } from '../types';
import { newestPackages } from './newest-packages';
import { FACTS, installationOf, packagesFolder, unpackedServers, type Unpacked } from './unpacked';

/** Debian sid moves daily; a run of the specs need not follow it more often than this. */
const FRESH_MS = 14 * 24 * 60 * 60_000;
/** After a look at the mirror that failed, the next one is made by tomorrow's run. */
const RETRY_MS = 24 * 60 * 60_000;

type Log = (line: string) => void;

/**
 * A server made of Debian's packages in our cache folder, or why there is none. What is there is used without asking
 * the mirror for two weeks; remove the folder to get the newest at once.
 */
export async function debianServer(flavor: Flavor, log: Log): Promise<Installation | string> {
  if (!existsSync('/etc/debian_version') || (await run(['dpkg-deb', '--version'])).code !== 0) {
    return 'this is not a Debian system';
  }
  const found = await freshServer(flavor);
  if (found !== undefined) {
    return installationOf(found);
  }
  const waiting = (): void => log(`waiting for another process that unpacks ${flavor}`);
  return withLock(join(packagesFolder(), `${flavor}.lock`), waiting, () => refresh(flavor, log));
}

async function refresh(flavor: Flavor, log: Log): Promise<Installation | string> {
  const found = await freshServer(flavor);
  if (found !== undefined) {
    return installationOf(found);
  }
  try {
    const newest = await newestPackages(flavor, log);
    await setChecked(newest, Date.now());
    return installationOf(newest);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const [older] = unpackedServers(flavor);
    if (older === undefined) {
      return `Debian's packages: ${why}`;
    }
    await setChecked(older, Date.now() - FRESH_MS + RETRY_MS);
    // On stderr whatever the caller does with the log: results must not be taken for those of the newest server.
    process.emitWarning(
      `could not look for a newer ${flavor}, using ${older.packageVersion} ` +
        `as unpacked on ${older.unpackedAt.slice(0, 10)}. ${why}`,
    );
    return installationOf(older);
  }
}

async function freshServer(flavor: Flavor): Promise<Unpacked | undefined> {
  const [newest] = unpackedServers(flavor);
  if (newest === undefined) {
    return undefined;
  }
  const { mtimeMs } = await stat(join(newest.folder, FACTS));
  return Date.now() - mtimeMs < FRESH_MS ? newest : undefined;
}

/** The time of the file says when the mirror was last asked. */
async function setChecked({ folder }: Unpacked, time: number): Promise<void> {
  await utimes(join(folder, FACTS), new Date(time), new Date(time));
}
