import type { ServerCapabilities } from '../database/server-capabilities';
import { Refusal } from '../errors';
import { namedChecks, tooLongWhenRenamed } from '../schema/check-names';
import { significant, tokenize } from '../schema/sql-tokens';
import type { TableSchema } from '../schema/table-schema';

/**
 * A CHECK that the change adds without a name is named after the ghost, and renamed with it at the swap, which must not fail
 * by then: a native ALTER fails at once.
 *
 * @throws Refusal LHM_CHECK_NAME_TOO_LONG
 */
export function refuseCheckNames(
  { table: ghost, createSql }: TableSchema,
  origin: string,
  server: ServerCapabilities,
): void {
  if (!server.checkNamesAreGlobal) return;
  const checks = namedChecks(significant(tokenize(createSql))).map(({ value }) => value);
  const [check] = tooLongWhenRenamed(checks, ghost, [origin]);
  if (check === undefined) return;
  throw new Refusal(
    'LHM_CHECK_NAME_TOO_LONG',
    `A CHECK constraint without a name is named after its table, and '${origin}${check.slice(ghost.length)}' is longer than 64 characters.`,
    'Give it a name: ADD CONSTRAINT a_short_name CHECK (…).',
  );
}
