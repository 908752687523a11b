import type { Flavor } from '../types';

export interface ProgramVersion {
  readonly flavor: Flavor;
  readonly version: string;
}

/** The oldest servers that the library supports. */
const OLDEST = { mysql: [8, 0, 13], mariadb: [10, 5, 0] } as const;

/** Reads what `mysqld --version` prints, e.g. `mysqld  Ver 10.11.6-MariaDB for debian-linux-gnu on x86_64`. */
export function versionOf(output: string): ProgramVersion | undefined {
  const version = /\bVer (\d+\.\d+\.\d+)/.exec(output)?.[1];
  return version === undefined
    ? undefined
    : { flavor: /mariadb/i.test(output) ? 'mariadb' : 'mysql', version };
}

export const isRecentEnough = ({ flavor, version }: ProgramVersion): boolean =>
  isAtLeast(version, OLDEST[flavor]);

/** Compares the numbers at the beginning of a version. */
export function isAtLeast(version: string, oldest: readonly number[]): boolean {
  const numbers = version.split(/[.-]/).map(Number);
  const different = oldest.findIndex((number, index) => numbers[index] !== number);
  return different === -1 || (numbers[different] ?? 0) > (oldest[different] ?? 0);
}
