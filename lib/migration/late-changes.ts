import { qualified } from '../database/sql';
import { Refusal } from '../errors';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';

/** What was written to the old table after the swap is for a person to look at; nothing is overwritten by itself. */
export function lateChanges(
  count: number,
  { schema }: Pick<TableName, 'schema'>,
  names: DerivedNames,
): Refusal {
  return new Refusal(
    'LHM_LATE_CHANGES',
    `${count} changes reached the old table '${names.old}' after the swap; their keys are in '${names.journal}'.`,
    `Compare these rows of the old and the new table, and carry over what is missing, before anything is dropped: SELECT * FROM ${qualified(schema, names.journal)} WHERE hadron_action IS NOT NULL;`,
  );
}
