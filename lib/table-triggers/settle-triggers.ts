import { TriggerTurn } from '../changes/triggers/trigger-turn';
import type { BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { restoreNames, type SwappedTables } from './restore-names';
import type { TriggersNote } from './table-trigger';

/**
 * Puts right what a run that is gone had begun. Where the tables were not swapped there is nothing to do: the stand-ins
 * go with the ghost.
 */
export async function settleTriggers(
  session: Session,
  tables: SwappedTables,
  swapped: boolean,
  bound: BoundedLock,
  note: unknown,
): Promise<void> {
  if (!swapped) return;
  const { triggers } = note as TriggersNote;
  await restoreNames(session, tables, triggers, bound, new TriggerTurn(session, true));
}
