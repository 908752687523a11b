import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder } from '../cache-folder';
import type { Flavor, Installation } from '../types';

/** What is known about an unpacked server; the file is in its folder. */
export interface Facts {
  readonly flavor: Flavor;
  /** Of the server, as `SELECT VERSION()` begins: `9.7.4`. */
  readonly version: string;
  /** Of the package. */
  readonly packageVersion: string;
  readonly suite: string;
  /** ISO time. */
  readonly unpackedAt: string;
}

export interface Unpacked extends Facts {
  readonly folder: string;
}

export const FACTS = 'facts.json';

export const packagesFolder = (): string => cacheFolder('debian');

/** The unpacked servers of that flavor, the newest first. */
export function unpackedServers(flavor: Flavor): Unpacked[] {
  return readdirSync(packagesFolder())
    .map((name) => join(packagesFolder(), name))
    .filter((folder) => existsSync(join(folder, FACTS)))
    .map((folder) => ({ ...(JSON.parse(readFileSync(join(folder, FACTS), 'utf8')) as Facts), folder }))
    .filter((facts) => facts.flavor === flavor)
    .sort((one, other) => other.unpackedAt.localeCompare(one.unpackedAt));
}

export function installationOf({ flavor, folder, version, suite, packageVersion }: Unpacked): Installation {
  return {
    flavor,
    version,
    source: `Debian ${suite} package ${packageVersion} in ${folder}`,
    command: commandOf(flavor, folder),
    args: folderOptions(flavor, folder),
    sqlFolder: flavor === 'mariadb' ? shareOf(flavor, folder) : undefined,
  };
}

/** Through the loader and the libraries of the same folder: those of the system may be older, or missing. */
export function commandOf(flavor: Flavor, folder: string): [string, ...string[]] {
  const libraries = ['usr/lib', 'lib'].flatMap((name) => multiarchFolders(join(folder, name)));
  const loader = libraries
    .flatMap((library) => readdirSync(library).map((name) => join(library, name)))
    .find((path) => /\/ld-linux[^/]*\.so\.\d+$/.test(path));
  if (loader === undefined) {
    throw new Error(`${folder} has no loader (ld-linux…)`);
  }
  const program = join(folder, 'usr', 'sbin', flavor === 'mysql' ? 'mysqld' : 'mariadbd');
  return [loader, '--library-path', libraries.join(':'), program];
}

const multiarchFolders = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /-linux-gnu/.test(name))
        .map((name) => join(folder, name))
    : [];

/** Newer MariaDB packages have a folder of their own name. */
const shareOf = (flavor: Flavor, folder: string): string =>
  ['mariadb', 'mysql']
    .map((name) => join(folder, 'usr', 'share', name))
    .find((path) => existsSync(join(path, 'charsets')) && (flavor === 'mariadb' || path.endsWith('mysql'))) ??
  join(folder, 'usr', 'share', 'mysql');

function folderOptions(flavor: Flavor, folder: string): string[] {
  const share = shareOf(flavor, folder);
  const plugins = ['mariadb', 'mysql']
    .map((name) => join(folder, 'usr', 'lib', name, 'plugin'))
    .find((path) => existsSync(path));
  return [
    `--basedir=${join(folder, 'usr')}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
    ...(plugins === undefined ? [] : [`--plugin-dir=${plugins}`]),
  ];
}
