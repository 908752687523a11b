import { createConnection } from 'mysql2/promise';
import type { RunningServer } from '../support/servers';

/**
 * Whom the migrations connect as, by which their connections are known: in SHOW PROCESSLIST one of the application is in the
 * migrated table's database, too, while it runs a trigger of the table.
 */
export const MIGRATING = { user: 'lhm_soak', password: 'soak' };

/** Its triggers may be those of other accounts. */
export async function createMigrating({ connection }: RunningServer): Promise<void> {
  const sql = await createConnection(connection);
  try {
    await sql.query(`CREATE USER '${MIGRATING.user}'@'%' IDENTIFIED BY '${MIGRATING.password}'`);
    await sql.query(`GRANT ALL PRIVILEGES ON *.* TO '${MIGRATING.user}'@'%' WITH GRANT OPTION`);
  } finally {
    await sql.end();
  }
}
