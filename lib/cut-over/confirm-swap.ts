import { processStates } from '../database/process-list';
import type { Session } from '../database/session';
import type { TablePair } from '../schema/table-pair';
import { readTableTypes } from '../schema/read-table-schema';
import { SENTRY_COMMENT } from './sentry-table';
import { clock } from '../util/clock';

/**
 * Looks which tables there are. After a connection was lost at the RENAME nothing else tells whether it happened.
 */
export async function confirmSwap(
  session: Session,
  pair: TablePair,
): Promise<'swapped' | 'not-swapped' | 'unknown'> {
  const { origin, names } = pair;
  const found = await readTableTypes(session, pair.schema, [origin.table, names.ghost, names.old]);
  const old = found.get(names.old);
  const oldIsOurs = old !== undefined && old.comment !== SENTRY_COMMENT;
  if (!found.has(origin.table)) return 'unknown';
  // The RENAME leaves the old table behind: without one it has not happened, whatever became of the ghost.
  if (!oldIsOurs) return 'not-swapped';
  return found.has(names.ghost) ? 'unknown' : 'swapped';
}

/** Waits until a connection's last statement is over, so that what is looked at next stays as it is. */
export async function waitUntilGone(session: Session, connection: number, attempts = 100): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (!(await processStates(session)).has(connection)) return true;
    await clock.sleep(100);
  }
  return false;
}
