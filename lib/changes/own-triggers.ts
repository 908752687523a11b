import type { Session } from '../database/session';
import { Refusal } from '../errors';
import { readTriggers } from '../schema/read-table-schema';
import type { TablePair } from '../schema/table-pair';
import type { TriggerFacts } from '../schema/table-schema';

/** All triggers of the origin, as they are now. */
export function triggersOf(
  session: Session,
  { schema, origin }: TablePair,
): Promise<readonly TriggerFacts[]> {
  return readTriggers(session, { schema, table: origin.table });
}

/**
 * @param known what `triggersOf` gave when the capture began
 * @param consequence what it would come to, for people
 * @throws Refusal LHM_TRIGGERS_CHANGED
 */
export async function refuseChangedTriggers(
  session: Session,
  pair: TablePair,
  known: readonly TriggerFacts[],
  consequence: string,
): Promise<void> {
  if (JSON.stringify(await triggersOf(session, pair)) === JSON.stringify(known)) return;
  throw new Refusal(
    'LHM_TRIGGERS_CHANGED',
    `The triggers of '${pair.origin.table}' were changed by somebody else while it was migrated.`,
    `${consequence}, so nothing was swapped. Keep others from altering the table, and run again.`,
  );
}
