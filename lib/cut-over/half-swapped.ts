import { qualified } from '../database/sql';
import { Refusal } from '../errors';
import type { SwappedNames } from './confirm-swap';

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
