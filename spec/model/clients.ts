import { createConnection, type Connection } from 'mysql2/promise';
import type { RunningServer } from '../support/servers';

export type Level = 'READ COMMITTED' | 'REPEATABLE READ';

/** A connection of the application, which does not wait long for a lock. */
export async function connect({ connection, flavor }: RunningServer, level: Level): Promise<Connection> {
  const client = await createConnection({
    ...connection,
    ...{ dateStrings: true, supportBigNumbers: true, bigNumberStrings: true, rowsAsArray: true },
  });
  // One that is lost must not end the whole process.
  client.on('error', () => undefined);
  // MySQL knows no shorter one.
  const wait = flavor === 'mariadb' ? 0 : 1;
  await client.query(
    `SET SESSION innodb_lock_wait_timeout = ${wait}, SESSION lock_wait_timeout = 2, SESSION time_zone = '+00:00',` +
      " SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_AUTO_VALUE_ON_ZERO')",
  );
  await client.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`);
  return client;
}
