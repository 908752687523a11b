import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { versionOf } from '../local/program-version';
import { runOrThrow } from '../run';
import type { Flavor } from '../types';
import { configuredArchives, type Archive } from './configured-archives';
import { PrivateApt } from './private-apt';
import { unpack } from './unpack';
import { commandOf, FACTS, packagesFolder, unpackedServers, type Facts, type Unpacked } from './unpacked';

const PACKAGES = { mysql: 'mysql-server-core', mariadb: 'mariadb-server-core' } as const;

type Log = (line: string) => void;

const ABANDONED_MS = 60 * 60_000;

/** MySQL is in no stable release of Debian. For MariaDB, the machine's own release comes first. */
const suitesFor = (flavor: Flavor, { suite }: Archive): string[] =>
  flavor === 'mysql' ? ['sid'] : [...new Set([suite, 'sid'])];

/** The newest packages that the machine's mirrors have, unpacked now or before. To be called under the lock. */
export async function newestPackages(flavor: Flavor, log: Log): Promise<Unpacked> {
  const failures: string[] = [];
  await removeUnfinished();
  for (const archive of await configuredArchives()) {
    try {
      const found = await fromArchive(flavor, archive, log);
      if (found !== undefined) {
        return found;
      }
      failures.push(`${archive.uri} has no ${PACKAGES[flavor]}`);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(failures.join('\n') || 'no Debian archive is configured in /etc/apt');
}

/** The next suite is for what the one before lacks, not for when it cannot be read just now. */
async function fromArchive(flavor: Flavor, archive: Archive, log: Log): Promise<Unpacked | undefined> {
  for (const suite of suitesFor(flavor, archive)) {
    const work = join(packagesFolder(), `${flavor}.unfinished-${randomUUID()}`);
    try {
      const found = await fromSuite(flavor, archive, suite, work, log);
      if (found !== undefined) {
        return found;
      }
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return undefined;
}

async function fromSuite(
  flavor: Flavor,
  archive: Archive,
  suite: string,
  work: string,
  log: Log,
): Promise<Unpacked | undefined> {
  log(`looking for ${flavor} in Debian ${suite}`);
  const apt = await PrivateApt.open(join(work, 'apt'), archive, suite, log);
  const packageVersion = await apt.versionOf(PACKAGES[flavor]);
  if (packageVersion === undefined) {
    return undefined;
  }
  const before = unpackedServers(flavor);
  const same = before.find((one) => one.packageVersion === packageVersion && one.suite === suite);
  if (same !== undefined) {
    return same;
  }
  log(`downloading and unpacking ${PACKAGES[flavor]} ${packageVersion} and what it needs`);
  const tree = join(work, 'tree');
  await unpack(await apt.download(PACKAGES[flavor]), tree);
  // Also proves that it runs here before anybody is given it.
  const version = versionOf(await runOrThrow([...commandOf(flavor, tree), '--no-defaults', '--version']));
  if (version?.flavor !== flavor) {
    throw new Error(`${PACKAGES[flavor]} ${packageVersion} is not ${flavor}`);
  }
  const unpackedAt = new Date().toISOString();
  const facts: Facts = { flavor, version: version.version, packageVersion, suite, unpackedAt };
  await writeFile(join(tree, FACTS), JSON.stringify(facts, undefined, 2));
  const folder = join(
    packagesFolder(),
    `${flavor}-${packageVersion.replace(/[^\w.+-]/g, '_')}-${randomUUID().slice(0, 8)}`,
  );
  await rename(tree, folder);
  // The one before may be in use by another process; the ones before that were for weeks not.
  await Promise.all(before.slice(1).map((old) => rm(old.folder, { recursive: true, force: true })));
  return { ...facts, folder };
}

/** What processes left that were killed while they unpacked. */
async function removeUnfinished(): Promise<void> {
  for (const name of await readdir(packagesFolder())) {
    const path = join(packagesFolder(), name);
    if (name.includes('.unfinished-') && Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
