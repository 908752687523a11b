import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { runOrThrow } from '../run';
import type { Installation } from '../types';
import { userSettings } from './settings';

/** Raise when what is put into a new datadir changes, so that cached ones are not used any more. */
export const RECIPE = 1;

type OnStart = (pid: number) => void;

/** Fills `folder`/data with a new datadir in which root may log in over TCP without a password. */
export function initialise(installation: Installation, folder: string, onStart: OnStart): Promise<void> {
  return installation.flavor === 'mysql'
    ? initialiseMysql(installation, folder, onStart)
    : initialiseMariadb(installation, folder, onStart);
}

async function initialiseMysql(
  { command, args }: Installation,
  folder: string,
  onStart: OnStart,
): Promise<void> {
  const init = join(folder, 'init.sql');
  // Host names are not resolved, so root@localhost cannot be reached over TCP.
  await writeFile(
    init,
    "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1';\n" +
      "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n",
  );
  await runOrThrow(
    [
      ...command,
      '--no-defaults',
      ...args,
      ...userSettings(),
      '--initialize-insecure',
      `--datadir=${join(folder, 'data')}`,
      `--init-file=${init}`,
      '--secure-file-priv=NULL',
      '--disable-log-bin',
      '--loose-innodb-redo-log-capacity=64M',
    ],
    { onStart },
  );
}

/**
 * What the script `mariadb-install-db` does, without the script: it finds the server by its place in the system
 * and wants `my_print_defaults` and a host name that can be looked up.
 */
async function initialiseMariadb(
  installation: Installation,
  folder: string,
  onStart: OnStart,
): Promise<void> {
  const { command, args, sqlFolder = '' } = installation;
  const files = SQL_FILES.map((names) => names.map((name) => join(sqlFolder, name)).find(existsSync));
  const sql = await Promise.all(
    files.filter((file) => file !== undefined).map((file) => readFile(file, 'utf8')),
  );
  await runOrThrow(
    [
      ...command,
      '--no-defaults',
      ...args,
      ...userSettings(),
      '--bootstrap',
      `--datadir=${join(folder, 'data')}`,
      '--enforce-storage-engine=',
      '--max-allowed-packet=8M',
      '--innodb-log-file-size=64M',
    ],
    // The variable decides for a root account with a password (none) instead of one for the system's root only.
    {
      onStart,
      input: ['CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n', ...sql].join('\n'),
    },
  );
}

/** In this order, each under its newer and its older name; the texts of HELP are left out. */
const SQL_FILES = [
  ['mariadb_system_tables.sql', 'mysql_system_tables.sql'],
  ['mariadb_performance_tables.sql', 'mysql_performance_tables.sql'],
  ['mariadb_system_tables_data.sql', 'mysql_system_tables_data.sql'],
  ['maria_add_gis_sp_bootstrap.sql'],
  ['mariadb_sys_schema.sql', 'mysql_sys_schema.sql'],
];
