import { qualified } from '../database/sql';
import type { Leftover } from '../errors';
import type { DerivedNames } from '../schema/derived-names';

/**
 * Everything that may be there, for when the server cannot be asked. The state table is the last: it tells a clean-up what
 * to do.
 *
 * @param swapped whether the tables are known to be swapped: then there is no ghost, and to drop its name could only hit
 *   the one of a later run
 */
export function possibleLeftovers(schema: string, names: DerivedNames, swapped: boolean): Leftover[] {
  const dropped = (kind: Leftover['kind'], name: string): Leftover => ({
    kind,
    name: `${schema}.${name}`,
    sql: `DROP ${kind.toUpperCase()} IF EXISTS ${qualified(schema, name)}`,
  });
  return [
    ...Object.values(names.triggers).map((name) => dropped('trigger', name)),
    ...[names.journal, names.changelog, names.recheck, ...(swapped ? [] : [names.ghost]), names.state].map(
      (name) => dropped('table', name),
    ),
  ];
}
