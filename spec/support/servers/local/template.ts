import { createHash, randomUUID } from 'node:crypto';
import { constants, existsSync, statSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cacheFolder } from '../cache-folder';
import { withLock } from '../lock';
import type { Installation } from '../types';
import { initialise, RECIPE } from './initialise';
import { watchdogFor } from './watchdog';

const UNUSED_MS = 30 * 24 * 60 * 60_000;

/** Copies an initialised datadir to `target`, making it first if need be: initialising takes seconds, copying does not. */
export async function copyTemplate(
  installation: Installation,
  target: string,
  log: (line: string) => void,
): Promise<void> {
  const templates = cacheFolder('datadirs');
  const name = `${installation.flavor}-${installation.version}-${fingerprint(installation)}`;
  const template = join(templates, name);
  if (!existsSync(template)) {
    const waiting = (): void => log(`waiting for another process that initialises ${name}`);
    await withLock(`${template}.lock`, waiting, async () => {
      if (!existsSync(template)) {
        log(`initialising a datadir for ${installation.flavor} ${installation.version}`);
        await make(installation, template);
        await removeUnused(templates);
      }
    });
  }
  const now = new Date();
  await utimes(template, now, now);
  await copy(template, target);
  // Two servers with one UUID refuse to replicate.
  await rm(join(target, 'auto.cnf'), { force: true });
}

/**
 * Initialises in the temporary folder, not in the cache: some systems confine their mysqld by AppArmor, to its own
 * folders and the temporary ones.
 */
async function make(installation: Installation, template: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lhm-init-'));
  const watchdog = watchdogFor(folder);
  const unfinished = `${template}.${randomUUID()}`;
  try {
    await mkdir(join(folder, 'data'), { mode: 0o750 });
    await initialise(installation, folder, watchdog.watch);
    await copy(join(folder, 'data'), unfinished);
    await rename(unfinished, template);
  } finally {
    await rm(folder, { recursive: true, force: true });
    watchdog.dismiss();
    await rm(unfinished, { recursive: true, force: true });
  }
}

const copy = (from: string, to: string): Promise<void> =>
  cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });

function fingerprint({ command, args, sqlFolder }: Installation): string {
  const { mtimeMs, size } = statSync(command.at(-1) ?? command[0]);
  const facts = JSON.stringify([RECIPE, command, args, sqlFolder, mtimeMs, size]);
  return createHash('sha256').update(facts).digest('hex').slice(0, 10);
}

async function removeUnused(templates: string): Promise<void> {
  for (const name of await readdir(templates)) {
    const path = join(templates, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > UNUSED_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
