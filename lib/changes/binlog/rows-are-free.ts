import { errorNumber, isLockTimeout } from '../../database/server-error';
import type { Session } from '../../database/session';
import { id, qualified } from '../../database/sql';
import type { ChunkKey } from '../../schema/chunk-key';
import type { TableName } from '../../schema/identifier';
import type { CapturedKey } from './captured-keys';

/** MariaDB only: another name now, which it could not be given before the transaction was over. */
const NO_SUCH_TABLE = 1146;

/**
 * Whether nobody holds the rows. Who has changed them holds them for longer than his changes are unseen.
 *
 * Waits for nobody, and so is in nobody's way.
 *
 * @param session with autocommit, in UTC
 */
export async function rowsAreFree(
  session: Session,
  { schema, table }: TableName,
  { originIndex, originKeys }: ChunkKey,
  keys: readonly CapturedKey[],
): Promise<boolean> {
  for (const { literals } of keys) {
    const isIt = originKeys.names.map((name, i) => `${id(name)} = ${literals[i] ?? 'NULL'}`).join(' AND ');
    try {
      await session.query(
        `SELECT 1 FROM ${qualified(schema, table)} FORCE INDEX (${id(originIndex)}) WHERE ${isIt} LOCK IN SHARE MODE NOWAIT`,
      );
    } catch (error) {
      if (isLockTimeout(error)) return false;
      if (errorNumber(error) !== NO_SUCH_TABLE) throw error;
    }
  }
  return true;
}
