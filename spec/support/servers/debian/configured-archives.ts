import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from '../run';
import { parseDeb822, parseOneLine, type SourceEntry } from './parse-sources';

/** A Debian archive that this machine is set up to use. */
export interface Archive {
  readonly uri: string;
  /** The suite that the machine takes its packages from, e.g. `bookworm`. */
  readonly suite: string;
}

/**
 * The main Debian archives of this machine, the likeliest first. The address of a mirror is the machine's business
 * (a company's proxy, a mirror nearby), so none is written down here.
 */
export async function configuredArchives(): Promise<Archive[]> {
  const archives = [...(await fromIndexes()), ...fromFiles()];
  const seen = new Set<string>();
  return archives.filter(({ uri, suite }) => {
    const key = `${uri.replace(/\/+$/, '')} ${suite}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Where `apt-get update` has run, the indexes themselves say which are Debian's. */
async function fromIndexes(): Promise<Archive[]> {
  const format = '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(CREATED_BY)|$(RELEASE)|$(REPO_URI)';
  const { stdout } = await run(['apt-get', 'indextargets', '--format', format]);
  return stdout
    .split('\n')
    .map((line) => line.split('|'))
    .filter(
      ([origin, label, component, kind]) =>
        [origin, label, component, kind].join() === 'Debian,Debian,main,Packages',
    )
    .map(([, , , , suite = '', uri = '']) => ({ uri, suite }))
    .filter(({ suite }) => isBaseSuite(suite));
}

/** On a machine where it never ran, the configuration is all there is. */
function fromFiles(): Archive[] {
  return sourceEntries()
    .filter(({ components }) => components.includes('main'))
    .flatMap((entry) =>
      entry.uris.flatMap((uri) => entry.suites.map((suite) => ({ uri, suite, rank: rankOf(uri, entry) }))),
    )
    .filter(({ uri, suite }) => isBaseSuite(suite) && !uri.includes('security'))
    .sort((one, other) => one.rank - other.rank)
    .map(({ uri, suite }) => ({ uri, suite }));
}

function sourceEntries(): SourceEntry[] {
  const folder = '/etc/apt/sources.list.d';
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))].flatMap((path) => {
    if (!existsSync(path) || !/\.(list|sources)$/.test(path)) {
      return [];
    }
    const text = readFileSync(path, 'utf8');
    return path.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text);
  });
}

/** Others offer packages for Debian in suites of the same name; Debian's own have its key. */
function rankOf(uri: string, { signedBy }: SourceEntry): number {
  if (/debian-archive/.test(signedBy)) {
    return 0;
  }
  return signedBy === '' && /\/debian\/?$/.test(uri) ? 1 : 2;
}

/** Only the release itself has all packages: `bookworm`, but not `bookworm-updates` or `bookworm-security`. */
const isBaseSuite = (suite: string): boolean => /^[a-z]+$/.test(suite);
