import { Refusal } from '../errors';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';

/**
 * The end of a migration at a row that the new definition has no room for.
 *
 * @param row its key; null where it could not be found again
 * @param why follows a colon, without a full stop
 * @param ways what else helps beside correcting the rows and another definition
 */
export function doesNotFit(
  { origin, key }: TablePair,
  row: RowKey | null,
  why: string,
  ways: string,
  cause?: unknown,
): Refusal {
  const named = row === null ? 'A row' : `The row (${key.originKeys.describe(row)})`;
  return new Refusal(
    'LHM_DATA_WOULD_BE_LOST',
    `${named} of '${origin.table}' does not fit the new definition: ${why}.`,
    `Correct the rows, choose a definition that holds them, ${ways}; the table was left as it is.`,
    { cause },
  );
}
