import { readTableTypes } from '../../schema/read-table-schema';
import { qualified } from '../../database/sql';
import { sortAfter } from '../../schema/derived-names';
import type { Problem } from '../../errors';
import type { Check } from '../check';

/** The names the migration needs must be free, and must sort after the table's own. */
export const namesAreFree: Check = async ({ session, name, names }) => {
  const problems: Problem[] = [];
  const tables = [names.ghost, names.old, names.journal, names.state, names.recheck, names.changelog];
  const taken = await readTableTypes(session, name.schema, tables);
  for (const [table, { type }] of taken) {
    const kind = ['VIEW', 'SEQUENCE'].includes(type) ? type : 'TABLE';
    problems.push({
      code: 'LHM_NAME_TAKEN',
      message: `The migration needs the name '${name.schema}.${table}', which is taken.`,
      hint: `If nobody needs it, drop it: DROP ${kind} ${qualified(name.schema, table)}; otherwise rename it.`,
    });
  }
  const wanted = [...Object.values(names.triggers), ...Object.values(names.gates), names.state];
  // MariaDB leaves out tables that others are just changing. Where many are migrated at once there is always one, and to
  // wait for a moment without would be to wait for good; a name that is overlooked here is refused when it is to be given.
  const rows = await session.query<{ name: string; tableName: string }>(
    'SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tableName FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND TRIGGER_NAME IN (?)',
    [name.schema, wanted],
  );
  for (const row of rows.filter((trigger) => trigger.tableName !== name.table)) {
    problems.push({
      code: 'LHM_NAME_TAKEN',
      message: `The migration needs the trigger name '${row.name}', which is taken by a trigger of '${row.tableName}'.`,
      hint: `If nobody needs it, drop it: DROP TRIGGER ${qualified(name.schema, row.name)}; otherwise create it under another name.`,
    });
  }
  if (!sortAfter(name.table, tables)) {
    problems.push({
      code: 'LHM_NAME_ORDER',
      message: `No name for the new table sorts after '${name.table}', so a RENAME could let writers into the old table.`,
      hint: 'The name is too long and holds characters beyond ASCII: shorten it by a few characters first.',
    });
  }
  return problems;
};
