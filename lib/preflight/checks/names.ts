import { readTableTypes } from '../../schema/read-table-schema';
import { errorNumber } from '../../database/server-error';
import type { Session } from '../../database/session';
import { qualified } from '../../database/sql';
import { sortAfter } from '../../schema/derived-names';
import type { Problem } from '../../errors';
import type { Check } from '../check';

/** The names the migration needs must be free, and must sort after the table's own. */
export const namesAreFree: Check = async ({ session, server, name, names }) => {
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
  const rows = server.triggersLeaveFiles
    ? await openedOneByOne(session, name.schema, wanted)
    : await listed(session, name.schema, wanted);
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

interface Taken {
  readonly name: string;
  readonly tableName: string;
}

async function listed(session: Session, schema: string, names: readonly string[]): Promise<Taken[]> {
  return session.query<Taken>(
    'SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tableName FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND TRIGGER_NAME IN (?)',
    [schema, names],
  );
}

const NO_SUCH_TRIGGER = 1360;
/** The trigger's table is gone: it is removed before a run creates any (see `removeDeadRun`). */
const NO_SUCH_TABLE = 1146;

/**
 * MariaDB opens every table of the schema for the list, and leaves out those that others are just changing: where many are
 * migrated at once there is always one. This way it opens the trigger's own table, if there is such a trigger, and waits for it.
 */
async function openedOneByOne(session: Session, schema: string, names: readonly string[]): Promise<Taken[]> {
  const there: string[] = [];
  for (const name of names) {
    try {
      await session.query(
        `SET STATEMENT lock_wait_timeout = 1 FOR SHOW CREATE TRIGGER ${qualified(schema, name)}`,
      );
      there.push(name);
    } catch (error) {
      if (![NO_SUCH_TRIGGER, NO_SUCH_TABLE].includes(errorNumber(error))) throw error;
    }
  }
  if (there.length === 0) return [];
  const tables = new Map((await listed(session, schema, there)).map((row) => [row.name, row.tableName]));
  return there.map((name) => ({ name, tableName: tables.get(name) ?? 'a table that is being changed' }));
}
