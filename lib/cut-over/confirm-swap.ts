import type { Session } from '../database/session';
import type { DerivedNames } from '../schema/derived-names';
import { readTableTypes, readTriggers, showCreateTable } from '../schema/read-table-schema';
import { definitionText } from '../schema/table-schema';
import { SENTRY_COMMENT } from './sentry-table';

/** The names that take part in the swap. */
export interface SwappedNames {
  readonly schema: string;
  readonly origin: { readonly table: string; readonly createSql?: string };
  readonly ghost?: { readonly createSql: string };
  readonly names: Pick<DerivedNames, 'ghost' | 'old' | 'triggers'>;
}

/**
 * How the tables stand. `half`: the original bears the old table's name and nothing bears its own, as between the two
 * statements of `two-step`. `given-away`: the same, but for a table that somebody has created since. `unknown`: the
 * table is gone.
 */
export type Standing = 'swapped' | 'not-swapped' | 'half' | 'given-away' | 'unknown';

/**
 * Looks which tables there are. After a connection was lost at the RENAME nothing else tells whether it happened.
 *
 * @param ghostOfOthers whether another run has taken over, so that a ghost may be its own
 */
export async function confirmSwap(
  session: Session,
  pair: SwappedNames,
  ghostOfOthers = false,
): Promise<Standing> {
  const { origin, names } = pair;
  const found = await readTableTypes(session, pair.schema, [origin.table, names.ghost, names.old]);
  const old = found.get(names.old);
  const oldIsOurs = old !== undefined && old.comment !== SENTRY_COMMENT;
  if (!found.has(origin.table)) return oldIsOurs && found.has(names.ghost) ? 'half' : 'unknown';
  // The RENAME leaves the old table behind: without one it has not happened, whatever became of the ghost.
  if (!oldIsOurs) return 'not-swapped';
  if (!found.has(names.ghost) || ghostOfOthers) return 'swapped';
  return (await isOrigin(session, pair)) ? 'not-swapped' : 'given-away';
}

/**
 * Whether the table is the one that was to be changed, where the definitions tell: then somebody took the old name. After a
 * run that is dead, its triggers tell, which stay with their table whatever its name.
 */
async function isOrigin(session: Session, { schema, origin, ghost, names }: SwappedNames): Promise<boolean> {
  if (origin.createSql === undefined || ghost === undefined) {
    const triggers = await readTriggers(session, { schema, table: origin.table });
    return triggers.some(({ name }) => Object.values(names.triggers).includes(name));
  }
  const before = withoutName(origin.createSql);
  const now = withoutName(await showCreateTable(session, { schema, table: origin.table }));
  return now === before && withoutName(ghost.createSql) !== before;
}

function withoutName(createSql: string): string {
  return definitionText(createSql).replace(/^CREATE TABLE `(?:[^`]|``)+` /, '');
}
