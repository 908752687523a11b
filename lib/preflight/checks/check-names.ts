import { id, qualified } from '../../database/sql';
import { namedChecks, tooLongWhenRenamed } from '../../schema/check-names';
import { significant, tokenize } from '../../schema/sql-tokens';
import { ofTable } from '../check';

/** MySQL renames CHECK constraints that are named after their table along with it; what has no room for it fails at the swap. */
export const checkNames = ofTable(({ schema, table, createSql }, { server, names }) => {
  if (!server.checkNamesAreGlobal) return [];
  const checks = namedChecks(significant(tokenize(createSql))).map(({ value }) => value);
  return tooLongWhenRenamed(checks, table, [names.ghost, names.old]).map((check) => ({
    code: 'LHM_CHECK_NAME_TOO_LONG',
    message: `The CHECK constraint '${check}' is named after its table, so the server would rename it with the table, to something longer than 64 characters.`,
    hint: `Drop it first, and add it again under a shorter name in the migration: ALTER TABLE ${qualified(schema, table)} DROP CHECK ${id(check)};`,
  }));
});
