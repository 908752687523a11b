import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { run } from '../run';
import type { Flavor, Installation } from '../types';
import { isRecentEnough, versionOf } from './program-version';

const PROGRAMS = { mysql: ['mysqld'], mariadb: ['mariadbd', 'mysqld'] } as const;

/** Where packages put servers, and an ordinary user's PATH may not look. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/usr/libexec', '/usr/local/bin', '/usr/bin'];

/** The first server program of that flavor and of a supported version, or why there is none. */
export async function installedServer(flavor: Flavor): Promise<Installation | string> {
  const passedOver: string[] = [];
  for (const program of candidates(flavor)) {
    const { stdout } = await run([program, '--no-defaults', '--version'], { timeoutMs: 20_000 });
    const found = versionOf(stdout);
    if (found?.flavor !== flavor) {
      // On a MariaDB system `mysqld` is a link to `mariadbd`.
      passedOver.push(
        `${program} is ${found === undefined ? 'not usable' : `${found.flavor} ${found.version}`}`,
      );
    } else if (!isRecentEnough(found)) {
      passedOver.push(`${program} is too old (${found.version})`);
    } else {
      const sqlFolder = flavor === 'mariadb' ? await bootstrapFolder(program) : undefined;
      if (flavor === 'mysql' || sqlFolder !== undefined) {
        return { flavor, version: found.version, source: program, command: [program], args: [], sqlFolder };
      }
      passedOver.push(`${program} comes without the SQL files for a new datadir`);
    }
  }
  const where = `no ${PROGRAMS[flavor].join(' or ')} of ${flavor} on the PATH or in the system folders`;
  return passedOver.length === 0 ? where : `${where} (${passedOver.join('; ')})`;
}

function candidates(flavor: Flavor): string[] {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS].filter(
    (folder) => folder !== '',
  );
  const programs = PROGRAMS[flavor].flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...new Set(programs)].filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Asks the server where its files are: distributions, tarballs and Homebrew all differ. */
async function bootstrapFolder(program: string): Promise<string | undefined> {
  const { stdout } = await run([program, '--no-defaults', '--verbose', '--help'], { timeoutMs: 20_000 });
  const valueOf = (name: string): string => new RegExp(`^${name} +(\\S.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const basedir = valueOf('basedir');
  return [
    valueOf('lc-messages-dir'),
    join(basedir, 'share', 'mysql'),
    join(basedir, 'share', 'mariadb'),
    join(basedir, 'share'),
  ].find((folder) =>
    ['mysql', 'mariadb'].some((prefix) => existsSync(join(folder, `${prefix}_system_tables.sql`))),
  );
}
