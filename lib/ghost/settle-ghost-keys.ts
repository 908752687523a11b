import type { BoundedLock } from '../database/metadata-locks';
import { withBoundedLock } from '../database/metadata-locks';
import { errorNumber, isDeadlock, isInterruption, isLockTimeout, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { Refusal } from '../errors';
import { addKey, dropKey, type ForeignKey } from '../schema/foreign-key';
import type { TableSchema } from '../schema/table-schema';
import { mayBeMadeFor } from './child-keys';

/**
 * Takes the keys off the ghost that the user's statements were made with, and gives it those that it bears while rows are
 * copied. An index that the server made for a key becomes one of its own: it would be built anew, under the lock of the
 * cut-over, for the next key on its columns.
 *
 * @throws Refusal LHM_FOREIGN_KEYS when the server does not take one of them
 */
export async function settleGhostKeys(
  session: Session,
  ghost: TableSchema,
  found: readonly ForeignKey[],
  carried: readonly ForeignKey[],
  bound: BoundedLock,
): Promise<void> {
  const table = qualified(ghost.schema, ghost.table);
  const alter = (clauses: readonly string[]): Promise<unknown> =>
    withBoundedLock(session, bound, () => session.execute(`ALTER TABLE ${table} ${clauses.join(', ')}`));
  const made = ghost.indexes.filter((index) => found.some(({ columns }) => mayBeMadeFor(index, columns)));
  for (const { name } of made) {
    await alter([`RENAME INDEX ${id(name)} TO hadron_index`]);
    await alter([`RENAME INDEX hadron_index TO ${id(name)}`]);
  }
  if (found.length > 0) await alter(found.map(({ name }) => dropKey(name)));
  if (carried.length === 0) return;
  try {
    await alter(carried.map(addKey));
  } catch (error) {
    if (errorNumber(error) === 0 || isInterruption(error)) throw error;
    if (isLockTimeout(error) || isDeadlock(error)) throw error;
    const keys = carried.map(({ columns }) => `(${columns.join(', ')})`).join(', ');
    throw new Refusal(
      'LHM_FOREIGN_KEYS',
      `The new table cannot follow the cascades of the foreign keys on ${keys}: ${messageOf(error)}.`,
      'Drop these keys first, or use a native ALTER TABLE.',
      { cause: error },
    );
  }
}
