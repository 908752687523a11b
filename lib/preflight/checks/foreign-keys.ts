import { id } from '../../database/sql';
import { readForeignKeys } from '../../schema/read-table-schema';
import { ofTable } from '../check';

/** Cascades fire no triggers, and children would follow the old table. */
export const foreignKeys = ofTable(async (table, { session, server }) => {
  const keys = await readForeignKeys(session, table, server);
  return keys.map((key) => ({
    code: 'LHM_FOREIGN_KEYS',
    message: `Foreign key '${key.name}' leads from '${key.child}' to '${key.parent}'.`,
    hint: `Tables with foreign keys in either direction are not supported yet: drop the key first (ALTER TABLE ${key.child} DROP FOREIGN KEY ${id(key.name)};), or use a native ALTER TABLE.`,
  }));
});
