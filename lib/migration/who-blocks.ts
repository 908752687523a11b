import { blockers, nameBlockers } from '../database/blockers';
import type { Database } from '../database/database';
import { isLockTimeout } from '../database/server-error';
import { Refusal } from '../errors';
import type { TableName } from '../schema/identifier';

/** Younger transactions cannot have been waited for in vain. */
const LONG_S = 1;

/**
 * Who was in the way, for the error of a migration that gave up on a lock: a sentence that follows the message. Empty for
 * every other error, and where the server does not tell.
 */
export async function whoBlocks(error: unknown, database: Database, name: TableName): Promise<string> {
  const gaveUp = error instanceof Refusal ? error.code === 'LHM_CUT_OVER_BLOCKED' : isLockTimeout(error);
  if (!gaveUp) return '';
  try {
    const session = await database.open('looker');
    return nameBlockers(await blockers(session, name.schema, name.table, database.connections, LONG_S));
  } catch {
    return '';
  }
}
