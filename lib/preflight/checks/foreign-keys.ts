import { id, qualified } from '../../database/sql';
import type { Problem } from '../../errors';
import { describeKey } from '../../schema/foreign-key';
import { parseForeignKeys } from '../../schema/foreign-key';
import { readChildKeys } from '../../schema/read-foreign-keys';
import { ofTable } from '../check';

/** Keys in either direction change hands with the table, unless that is not wanted or cannot be. */
export const foreignKeys = ofTable(async (table, { session, server, options }) => {
  const children = await readChildKeys(session, table, server);
  const problems = children.hidden.map(({ name, child }): Problem => ({
    code: 'LHM_FOREIGN_KEYS',
    message: `Foreign key '${name}' of '${child}' leads to the table, and the account may not see that one.`,
    hint: `Grant the account SELECT, ALTER, INDEX and LOCK TABLES on its database, or drop the key first.`,
  }));
  if (options.foreignKeys !== 'refuse') return problems;
  const own = parseForeignKeys(table.createSql, table.schema).map((key) => ({ child: table, key }));
  for (const { child, key } of [...own, ...children.keys]) {
    const name = qualified(child.schema, child.table);
    problems.push({
      code: 'LHM_FOREIGN_KEYS',
      message: `Foreign key ${describeKey(`${child.schema}.${child.table}`, key)} is there, and foreignKeys is 'refuse'.`,
      hint: `Leave the option out, or drop the key first (ALTER TABLE ${name} DROP FOREIGN KEY ${id(key.name)};).`,
    });
  }
  return problems;
});
