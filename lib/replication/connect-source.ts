import { knex as createKnex, type Knex } from 'knex';
import type { Database } from '../database/database';
import { isKnex } from '../database/knex-connection';
import { connectDatabase } from '../database/mysql-database';
import { messageOf } from '../database/server-error';
import { Refusal } from '../errors';

/**
 * Connects to the replica whose binary log is read. The caller closes it.
 *
 * @throws Refusal LHM_REPLICA_UNFIT
 */
export async function connectSource(source: Knex | string | Knex.MySql2ConnectionConfig): Promise<Database> {
  try {
    return await connectDatabase(isKnex(source) ? source : knexTo(source));
  } catch (cause) {
    if (cause instanceof Refusal && cause.code !== 'LHM_NOT_ONE_SERVER') throw cause;
    throw new Refusal(
      'LHM_REPLICA_UNFIT',
      `binlog.source cannot be reached: ${messageOf(cause)}`,
      'Let binlog.source lead to one replica, by its own host and port. Nothing was touched.',
      { cause },
    );
  }
}

/** Nothing is opened by its pool, so nothing of it has to be closed. */
export function knexTo(connection: string | Knex.MySql2ConnectionConfig): Knex {
  return createKnex({
    client: 'mysql2',
    connection: typeof connection === 'string' ? connection.replace(/^\w+:/, 'mysql:') : connection,
    pool: { min: 0, max: 1 },
  });
}
