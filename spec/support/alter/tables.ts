import knex, { type Knex } from 'knex';
import type { Session } from '../../../lib/database/session';
import { connectDatabase } from '../../../lib/database/mysql-database';
import type { Database } from '../../../lib/database/database';
import type { RetargetTarget } from '../../../lib/schema/retarget-statement';
import type { RunningServer } from '../servers';

/** A schema with the table and its ghost, and another one with a twin of the table for plain Knex. */
export interface AlterTables {
  readonly knex: Knex;
  readonly plain: Knex;
  readonly session: Session;
  readonly target: RetargetTarget;
  readonly columns: readonly string[];
  /** Makes all three tables anew. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const APP = 'alter_app';
const TWIN = 'alter_twin';

const TABLE = `(
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  address VARCHAR(100) NOT NULL,
  subject VARCHAR(200) NULL DEFAULT 'none',
  body TEXT NULL,
  size INT NOT NULL DEFAULT 3,
  state ENUM('new', 'sent') NOT NULL DEFAULT 'new',
  first_name VARCHAR(50) NULL,
  UNIQUE KEY emails_address_unique (address),
  KEY emails_size_index (size),
  KEY emails_state_size_index (state, size),
  KEY by_name (first_name)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`;

export async function alterTables(server: RunningServer): Promise<AlterTables> {
  const connect = (database: string | null, max = 1): Knex =>
    knex({
      client: 'mysql2',
      connection: { ...server.connection, ...(database === null ? {} : { database }) },
      pool: { min: 0, max },
    });
  const admin = connect(null);
  for (const schema of [APP, TWIN]) {
    await admin.raw(`DROP DATABASE IF EXISTS ${schema}`);
    await admin.raw(`CREATE DATABASE ${schema}`);
  }
  const users = connect(APP);
  // Plain Knex needs two connections for setNullable and dropNullable.
  const plain = connect(TWIN, 2);
  const database: Database = await connectDatabase(users);
  const session = await database.open('alter');
  return {
    knex: users,
    plain,
    session,
    target: { schema: APP, origin: 'emails', ghost: 'emails_lhmn' },
    columns: ['id', 'address', 'subject', 'body', 'size', 'state', 'first_name'],
    async reset() {
      await session.execute(
        `DROP TABLE IF EXISTS ${APP}.emails_lhmn, ${APP}.links, ${APP}.emails, ${TWIN}.emails`,
      );
      await session.execute(`CREATE TABLE ${APP}.emails ${TABLE}`);
      await session.execute(`CREATE TABLE ${APP}.emails_lhmn LIKE ${APP}.emails`);
      await session.execute(`CREATE TABLE ${TWIN}.emails ${TABLE}`);
    },
    async close() {
      await database.close();
      for (const schema of [APP, TWIN]) await admin.raw(`DROP DATABASE IF EXISTS ${schema}`);
      await Promise.all([admin.destroy(), users.destroy(), plain.destroy()]);
    },
  };
}

/** SHOW CREATE TABLE with the table's name taken out. */
export async function definition(session: Session, schema: string, table: string): Promise<string> {
  const [row] = await session.query(`SHOW CREATE TABLE ${schema}.${table}`);
  return String(row?.['Create Table']).replace(`CREATE TABLE \`${table}\``, 'CREATE TABLE');
}

/** The same of the ghost and of plain Knex's twin. */
export async function bothDefinitions({
  session,
  target,
}: AlterTables): Promise<{ ghost: string; twin: string }> {
  return {
    ghost: await definition(session, target.schema, target.ghost),
    twin: await definition(session, TWIN, target.origin),
  };
}
