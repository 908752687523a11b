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

let accounts = 0;

/** A new account with these privileges on the test's database and these on the server. */
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
  if (onServer.length > 0) await test.query(`GRANT ${onServer.join(', ')} ON *.* TO ${grantee}`);
  return { user, grantee, knex: test.makeKnex({}, { user, password: 'secret' }) };
}
