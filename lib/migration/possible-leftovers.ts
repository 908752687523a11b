import { qualified } from '../database/sql';
import type { Leftover, Outcome } from '../errors';
import type { DerivedNames } from '../schema/derived-names';

/**
 * Everything that may be there, for when the server cannot be asked. The state table is the last: it tells a clean-up what
 * to do.
 *
 * @param outcome `swapped`: then there is no ghost, and to drop its name could only hit the one of a later run;
 *   `rolled-back`: nothing was captured yet
 */
export function possibleLeftovers(
  schema: string,
  names: DerivedNames,
  outcome: Extract<Outcome, 'swapped' | 'unknown' | 'rolled-back'>,
): Leftover[] {
  const dropped = (kind: Leftover['kind'], name: string): Leftover => ({
    kind,
    name: `${schema}.${name}`,
    sql: `DROP ${kind.toUpperCase()} IF EXISTS ${qualified(schema, name)}`,
  });
  const captures = outcome === 'rolled-back' ? [] : [names.journal, names.changelog];
  const ghost = outcome === 'swapped' ? [] : [names.ghost];
  return [
    ...(outcome === 'rolled-back' ? [] : Object.values(names.triggers)).map((name) =>
      dropped('trigger', name),
    ),
    ...[...captures, names.recheck, ...ghost, names.state].map((name) => dropped('table', name)),
  ];
}
