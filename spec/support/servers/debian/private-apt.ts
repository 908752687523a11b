import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '../run';
import type { Archive } from './configured-archives';

const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

/**
 * apt with lists, a cache and a list of installed packages (none) of its own: it needs no root, does not touch the
 * system's, and every package that a server needs counts as missing, down to libc. Proxies and passwords for
 * mirrors are still the machine's.
 */
export class PrivateApt {
  private constructor(private readonly folder: string) {}

  /**
   * Fetches the index of one suite, e.g. `sid`. A mirror that stood still for a week is used all the same: what is
   * signed is still Debian's, and only a throw-away server is made of it.
   */
  static async open(
    folder: string,
    archive: Archive,
    suite: string,
    log: (line: string) => void,
  ): Promise<PrivateApt> {
    for (const name of ['lists/partial', 'archives/partial', 'empty']) {
      await mkdir(join(folder, name), { recursive: true });
    }
    const keyring = KEYRINGS.find(existsSync);
    const options = keyring === undefined ? '' : `[signed-by=${keyring}] `;
    await writeFile(join(folder, 'status'), '');
    await writeFile(join(folder, 'sources.list'), `deb ${options}${archive.uri} ${suite} main\n`);
    await writeFile(join(folder, 'apt.conf'), configuration(folder));
    const apt = new PrivateApt(folder);
    try {
      await apt.get('update', '--error-on=any');
    } catch (error) {
      if (!(error instanceof Error) || !/ is expired /.test(error.message)) throw error;
      log(`the mirror's list of Debian ${suite} is out of date, but taken: ${error.message}`);
      await apt.get('update', '--error-on=any', '-o', 'Acquire::Check-Valid-Until=false');
    }
    return apt;
  }

  /** The version that the suite has, if it has the package at all. */
  async versionOf(name: string): Promise<string | undefined> {
    const { stdout } = await run(this.command('apt-cache', 'policy', name));
    const version = /^ *Candidate: (\S+)$/m.exec(stdout)?.[1];
    return version === '(none)' ? undefined : version;
  }

  /** Downloads the package and all that it depends on; gives the paths of the .deb files. */
  async download(name: string): Promise<string[]> {
    await this.get('install', '--yes', '--download-only', name);
    const archives = join(this.folder, 'archives');
    const files = await readdir(archives);
    return files.filter((file) => file.endsWith('.deb')).map((file) => join(archives, file));
  }

  /** Of the many lines that apt writes, its errors are what a person wants to read. */
  private async get(...words: string[]): Promise<void> {
    const { code, stdout, stderr } = await run(this.command('apt-get', ...words));
    if (code !== 0) {
      const errors = stderr.split('\n').filter((line) => line.startsWith('E: '));
      throw new Error(`apt-get ${words[0] ?? ''}: ${errors.join(' ') || stdout + stderr}`);
    }
  }

  private command(program: string, ...words: string[]): readonly [string, ...string[]] {
    return [program, '-c', join(this.folder, 'apt.conf'), ...words];
  }
}

/** Read after the machine's own configuration, so it has the last word. */
function configuration(folder: string): string {
  const path = (name: string): string => `"${join(folder, name)}"`;
  return [
    // Hooks of the system: they notify its services or delete its downloads.
    '#clear APT::Update;',
    '#clear DPkg;',
    '#clear APT::Default-Release;',
    '#clear APT::Architectures;',
    `Dir::State ${path('.')};`,
    `Dir::State::lists ${path('lists')};`,
    `Dir::State::status ${path('status')};`,
    `Dir::State::extended_states ${path('extended_states')};`,
    `Dir::Cache ${path('.')};`,
    `Dir::Cache::archives ${path('archives')};`,
    `Dir::Log ${path('.')};`,
    `Dir::Etc::sourcelist ${path('sources.list')};`,
    `Dir::Etc::sourceparts ${path('empty')};`,
    `Dir::Etc::preferences ${path('none')};`,
    `Dir::Etc::preferencesparts ${path('empty')};`,
    // As root, apt would download as the user _apt, who cannot write into our folder.
    'APT::Sandbox::User "root";',
    'APT::Install-Recommends "false";',
    'APT::Install-Suggests "false";',
    // Packages are only unpacked, by nobody but us.
    'Debug::NoLocking "true";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "30";',
    'Acquire::https::Timeout "30";',
    '',
  ].join('\n');
}
