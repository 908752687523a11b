import { NameTaken } from '../errors';
import type { TableName } from '../schema/identifier';
import { errorNumber } from './server-error';
import type { Session } from './session';

const TABLE_EXISTS = 1050;

/**
 * Runs a CREATE TABLE, or a RENAME to a name that was seen to be free.
 *
 * @throws NameTaken when it no longer is
 */
export async function createTaking(session: Session, name: TableName, sql: string): Promise<void> {
  try {
    await session.execute(sql);
  } catch (cause) {
    if (errorNumber(cause) === TABLE_EXISTS) throw new NameTaken(name.schema, name.table, cause);
    throw cause;
  }
}
