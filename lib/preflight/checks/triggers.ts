import { wholeRead } from '../../database/whole-read';
import type { Problem } from '../../errors';
import { ofTable } from '../check';

/** Any of them lets an account create triggers that run as another one; which it is, differs by version. */
const ANY_DEFINER = {
  mysql: ['SET_ANY_DEFINER', 'SET_USER_ID', 'SUPER'],
  mariadb: ['SET USER', 'SUPER'],
} as const;

/** The table's own triggers are created again on the new table, as the accounts that they run as. */
export const triggers = ofTable(async (table, { session, server, options, grants, grantee }) => {
  const rows = await wholeRead<{ name: string; definer: string; own: string }>(
    session,
    `SELECT DISTINCT TRIGGER_NAME AS name, DEFINER AS definer, CURRENT_USER() AS own FROM information_schema.TRIGGERS
      WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY TRIGGER_NAME`,
    [table.schema, table.table],
  );
  const problems: Problem[] = [];
  if (rows.length === 0) return problems;
  if (options.triggers.existing === 'refuse') {
    problems.push({
      code: 'LHM_TABLE_HAS_TRIGGERS',
      message: `Table '${table.table}' has triggers: ${rows.map(({ name }) => name).join(', ')}.`,
      hint: "Leave out triggers.existing: 'refuse' to have them carried to the new table, or drop them.",
    });
    return problems;
  }
  const others = rows.filter(({ definer, own }) => definer !== own);
  const privileges = ANY_DEFINER[server.flavor];
  if (others.length > 0 && grants !== null && !privileges.some((name) => grants.hasGlobal(name))) {
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message: `The account ${grantee} may not create triggers that run as another account: ${others.map(({ name, definer }) => `${name} runs as ${definer}`).join(', ')}.`,
      hint: `GRANT ${server.anyDefinerPrivilege} ON *.* TO ${grantee};`,
    });
  }
  return problems;
});
