import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { userInfo } from 'node:os';

import type { Flavor, Installation } from '../types';

/** What holds wherever the server runs. Tests want speed, not safety from a power failure. */
export function commonSettings(flavor: Flavor): string[] {
  return [
    // Two with one number cannot replicate, and tests want to start many. Larger ones are logged as negative.
    `--server-id=${randomInt(1, 2 ** 31 - 1)}`,
    '--log-bin=binlog',
    '--binlog-format=ROW',
    '--sync-binlog=0',
    '--innodb-flush-log-at-trx-commit=2',
    '--innodb-buffer-pool-size=256M',
    '--max-connections=300',
    '--skip-name-resolve',
    ...(flavor === 'mysql' ? MYSQL_SETTINGS : MARIADB_SETTINGS),
  ];
}

/** `loose`: the option came later than the oldest supported version. */
const MYSQL_SETTINGS = ['--mysqlx=OFF', '--loose-innodb-redo-log-capacity=64M'];
const MARIADB_SETTINGS = ['--innodb-log-file-size=64M'];

/** For a server on this machine, with all its files in `folder`. */
export function localSettings({ flavor, args }: Installation, folder: string, port: number): string[] {
  return [
    '--no-defaults',
    ...args,
    ...userSettings(),
    `--datadir=${dataFolder(folder)}`,
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--log-error=${errorLog(folder)}`,
    `--tmpdir=${join(folder, 'tmp')}`,
    // Anyone on this machine can log in, so nobody may read or write files through the server.
    `--secure-file-priv=${flavor === 'mysql' ? 'NULL' : join(folder, 'files')}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    ...commonSettings(flavor),
  ];
}

export const dataFolder = (folder: string): string => join(folder, 'data');
export const errorLog = (folder: string): string => join(folder, 'error.log');

/** As root a server refuses to start unless it is told that this is meant. */
export const userSettings = (): string[] => (userInfo().uid === 0 ? ['--user=root'] : []);
