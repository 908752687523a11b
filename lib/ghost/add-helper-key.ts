import { errorNumber, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { Refusal } from '../errors';
import type { ChunkKey } from '../schema/chunk-key';
import type { TableName } from '../schema/identifier';

/**
 * Gives the still empty ghost an index by which its rows are found while they are copied, where the new definition has
 * none. It goes at the swap: see `HelperKey`.
 *
 * @throws Refusal LHM_NO_USABLE_KEY when the server has no room for it
 */
export async function addHelperKey(session: Session, ghost: TableName, key: ChunkKey): Promise<void> {
  const parts = key.ghostKeys.columns.map(
    ({ name, descending }) => `${id(name)}${descending ? ' DESC' : ''}`,
  );
  try {
    await session.execute(
      `ALTER TABLE ${qualified(ghost.schema, ghost.table)} ADD INDEX ${id(key.ghostIndex)} (${parts.join(', ')})`,
    );
  } catch (cause) {
    if (errorNumber(cause) === 0) throw cause;
    throw new Refusal(
      'LHM_NO_USABLE_KEY',
      `The new table has no index by which its rows could be found while they are copied, and gets none for that time: ${messageOf(cause)}.`,
      'Keep the key in this migration, and drop it in a second one.',
      { cause },
    );
  }
}
