import type { Session } from '../database/session';
import type { DerivedNames } from '../schema/derived-names';
import { readTableTypes, showCreateTable } from '../schema/read-table-schema';
import { definitionText } from '../schema/table-schema';
import { SENTRY_COMMENT } from './sentry-table';

/** The names that take part in the swap. */
export interface SwappedNames {
  readonly schema: string;
  readonly origin: { readonly table: string; readonly createSql?: string };
  readonly ghost?: { readonly createSql: string };
  readonly names: Pick<DerivedNames, 'ghost' | 'old'>;
}

/**
 * Looks which tables there are. After a connection was lost at the RENAME nothing else tells whether it happened.
 *
 * @param ghostOfOthers whether another run has taken over, so that a ghost may be its own
 */
export async function confirmSwap(
  session: Session,
  pair: SwappedNames,
  ghostOfOthers = false,
): Promise<'swapped' | 'not-swapped' | 'unknown'> {
  const { origin, names } = pair;
  const found = await readTableTypes(session, pair.schema, [origin.table, names.ghost, names.old]);
  const old = found.get(names.old);
  const oldIsOurs = old !== undefined && old.comment !== SENTRY_COMMENT;
  if (!found.has(origin.table)) return 'unknown';
  // The RENAME leaves the old table behind: without one it has not happened, whatever became of the ghost.
  if (!oldIsOurs) return 'not-swapped';
  if (!found.has(names.ghost) || ghostOfOthers) return 'swapped';
  return (await isOrigin(session, pair)) ? 'not-swapped' : 'unknown';
}

/** Whether the table is the one that was to be changed, where the definitions tell: then somebody took the old name. */
async function isOrigin(session: Session, { schema, origin, ghost }: SwappedNames): Promise<boolean> {
  if (origin.createSql === undefined || ghost === undefined) return false;
  const before = withoutName(origin.createSql);
  const now = withoutName(await showCreateTable(session, { schema, table: origin.table }));
  return now === before && withoutName(ghost.createSql) !== before;
}

function withoutName(createSql: string): string {
  return definitionText(createSql).replace(/^CREATE TABLE `(?:[^`]|``)+` /, '');
}
