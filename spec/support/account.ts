import type { Knex } from 'knex';

import type { TestTable } from './test-table';

/** What an account needs on the schema. */
export const NEEDED: readonly string[] = [
  ...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'ALTER', 'INDEX', 'TRIGGER'],
  ...['LOCK TABLES', 'CREATE TEMPORARY TABLES'],
];

export interface Account {
  readonly user: string;
  /** As GRANT names it. */
  readonly grantee: string;
  /** Connects to the test's database as the account. */
  readonly knex: Knex;
}

/** What it needs on the server besides, to read the log. */
export const FOR_THE_LOG = {
  mysql: ['REPLICATION SLAVE', 'REPLICATION CLIENT'],
  mariadb: ['REPLICATION SLAVE', 'BINLOG MONITOR'],
};

let accounts = 0;

/** A new account with these privileges on the test's database and these on the server; with all `NEEDED` it may read the log, too, in the mode that does. */
export async function createAccount(
  test: TestTable,
  onSchema: readonly string[] = NEEDED,
  onServer: readonly string[] = [],
): Promise<Account> {
  const user = `lhm_user_${process.pid}_${++accounts}`;
  const grantee = `'${user}'@'%'`;
  await test.query(`CREATE USER ${grantee} IDENTIFIED BY 'secret'`);
  if (onSchema.length > 0) {
    await test.query(`GRANT ${onSchema.join(', ')} ON \`${test.database}\`.* TO ${grantee}`);
  }
  const { flavor, mode } = test.server;
  const all = [...onServer, ...(onSchema === NEEDED && mode === 'binlog' ? FOR_THE_LOG[flavor] : [])];
  if (all.length > 0) await test.query(`GRANT ${all.join(', ')} ON *.* TO ${grantee}`);
  return { user, grantee, knex: test.makeKnex({}, { user, password: 'secret' }) };
}
