import { TriggerTurn } from '../changes/triggers/trigger-turn';
import type { Session } from '../database/session';
import { Refusal } from '../errors';
import type { TablePair } from '../schema/table-pair';
import { refuseNamedColumns } from './named-columns';
import { readTableTriggers } from './read-table-triggers';
import { withStandIns, type CarriedTrigger } from './table-trigger';
import { tryTriggers } from './try-triggers';

/**
 * The table's own triggers, each of them tried on the ghost, which nobody writes to yet.
 *
 * @throws Refusal when one could not be carried to the new table
 */
export async function carriedTriggers(
  session: Session,
  pair: TablePair,
  turnsNeeded: boolean,
): Promise<CarriedTrigger[]> {
  const { schema, origin, names } = pair;
  const name = { schema, table: origin.table };
  const found = await readTableTriggers(session, name, Object.values(names.triggers));
  const problems = refuseNamedColumns(pair, found);
  const [first] = problems;
  if (first !== undefined)
    throw new Refusal(first.code, problems.map(({ message }) => message).join(' '), first.hint, { problems });
  const triggers = withStandIns(origin.table, names, found);
  if (triggers.length === 0) return triggers;
  const turn = new TriggerTurn(session, turnsNeeded);
  await turn.take();
  try {
    await tryTriggers(session, schema, names.ghost, triggers);
  } finally {
    await turn.end();
  }
  return triggers;
}
