import { insertFromOrigin, originHas } from '../changes/apply-sql';
import type { ScratchTable } from '../changes/scratch-table';
import type { Session } from '../database/session';
import { transaction } from '../database/transaction';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';
import { comparedColumns, listValues, type ShownValues } from './compare-sql';

/** Columns named for one row; further ones are counted. */
const MOST_COLUMNS = 5;

/**
 * What differs in one row, with both values: the one that the new table has, and the one that it should have, which
 * is made from the original in the scratch table.
 *
 * @returns e.g. `id = 7: size is 11 and should be 10`
 */
export async function describeDifference(
  session: Session,
  pair: TablePair,
  scratch: ScratchTable,
  key: RowKey,
): Promise<string> {
  const which = pair.key.originKeys.describe(key);
  const [row] = await transaction(session, async () => {
    await scratch.clear(session);
    await session.execute(insertFromOrigin(pair, originHas(pair, [key]), pair.names.scratch));
    return session.query<ShownValues>(listValues(pair));
  });
  if (row === undefined) return `${which}: is not in the original`;
  if (Number(row['hadron_partner']) === 0) return `${which}: is missing in the new table`;
  const differing = comparedColumns(pair).flatMap(({ name }, i) =>
    Number(row[`hadron_same_${i}`]) === 1
      ? []
      : [`${name} is ${show(row[`hadron_is_${i}`])} and should be ${show(row[`hadron_should_${i}`])}`],
  );
  const more = differing.length - MOST_COLUMNS;
  const named = differing.slice(0, MOST_COLUMNS).join(', ');
  // Somebody may have written to it meanwhile.
  if (named === '') return `${which}: has become equal`;
  return `${which}: ${named}${more > 0 ? `, and ${more} more columns` : ''}`;
}

function show(value: string | number | null | undefined): string {
  return value === null || value === undefined ? 'NULL' : String(value);
}
