import type { Session } from '../database/session';
import type { BoundedLock } from '../database/metadata-locks';
import { qualified } from '../database/sql';
import { debugLog } from '../events/debug-log';
import type { DerivedNames } from '../schema/derived-names';
import { readTableTypes } from '../schema/read-table-schema';
import { STATE_COMMENT, takeOver } from '../state/state-table';
import { Cleaner } from './cleaner';

const log = debugLog('migration');

/**
 * Removes what an earlier run of the same table left when its process was killed. Its advisory lock is gone (we hold
 * it), and its state table names everything it created, so nothing of anybody else's is touched.
 */
export async function removeDeadRun(
  session: Session,
  schema: string,
  names: DerivedNames,
  epoch: string,
  bound: BoundedLock,
): Promise<boolean> {
  const found = await readTableTypes(session, schema, [names.state]);
  if (found.get(names.state)?.comment !== STATE_COMMENT) return false;
  const record = await takeOver(session, schema, names.state, epoch);
  log('removing what the run of %s left', record?.startedAt ?? 'unknown time');
  // Without its row the dead run had created nothing but the state table.
  if (record === null) await session.execute(`DROP TABLE ${qualified(schema, names.state)}`);
  else await new Cleaner(schema, record.names, bound).removeAll(session);
  return true;
}
