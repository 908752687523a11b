import { readTriggers } from '../../schema/read-table-schema';
import { ofTable } from '../check';

/** They would stay on the old table. */
export const triggers = ofTable(async (table, { session }) => {
  const found = await readTriggers(session, table);
  if (found.length === 0) return [];
  return [
    {
      code: 'LHM_TABLE_HAS_TRIGGERS',
      message: `Table '${table.table}' has triggers: ${found.map((trigger) => trigger.name).join(', ')}.`,
      hint: 'Tables with triggers are not supported yet: drop them first and create them again afterwards, or use a native ALTER TABLE.',
    },
  ];
});
