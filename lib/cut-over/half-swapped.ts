import { qualified } from '../database/sql';
import { Refusal } from '../errors';
import type { SwappedNames } from './confirm-swap';

/**
 * The new table bears the name, but has not got the last changes, and somebody has truncated or replaced it since: to take
 * the swap back would undo that.
 */
export function changedUnreplayed({ schema, origin, names }: SwappedNames): Refusal {
  const [name, ghost, old] = [origin.table, names.ghost, names.old].map((table) => qualified(schema, table));
  return new Refusal(
    'LHM_HALF_SWAPPED',
    `'${schema}.${origin.table}' is the new table, which has not got the last changes and takes no writes, and somebody has truncated, altered or replaced it. The original is '${names.old}', with every row.`,
    `Do to '${names.old}' what was done to it, and give the original its name back: RENAME TABLE ${name} TO ${ghost}, ${old} TO ${name}; Then run again.`,
  );
}

/** Between the look at the new table and the RENAME that takes the swap back. */
export function undoneByTakingBack({ schema, origin, names }: SwappedNames): Refusal {
  return new Refusal(
    'LHM_ORIGIN_CHANGED',
    `'${schema}.${origin.table}' was truncated, altered or replaced by somebody else in the instant in which a swap was taken back, which has undone that.`,
    `What was done to it is in '${schema}.${names.ghost}': do it to the table as well, and run again.`,
  );
}

/**
 * A swap in two steps broke off between them, and somebody has given the name away since: which table is the one that
 * the application should see, nobody but a person can say.
 */
export function halfSwapped({ schema, origin, names }: SwappedNames, cause?: unknown): Refusal {
  const name = qualified(schema, origin.table);
  return new Refusal(
    'LHM_HALF_SWAPPED',
    `The original of '${schema}.${origin.table}' is '${names.old}', with every row: the swap broke off between its two steps, and somebody has created another table of that name.`,
    `Move that one out of the way, and give the original its name back: RENAME TABLE ${name} TO …, ${qualified(schema, names.old)} TO ${name}; Then run again.`,
    { cause },
  );
}
