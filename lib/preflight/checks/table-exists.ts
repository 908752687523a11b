import type { Check } from '../check';

/** The name must be a base table's. */
export const tableExists: Check = ({ found, name }) => {
  const full = `${name.schema}.${name.table}`;
  if (found === null) {
    return [
      {
        code: 'LHM_NO_SUCH_TABLE',
        message: `There is no table '${full}', or the account may not see it.`,
        hint: 'Check the spelling (case included), the database of the connection, and the account’s privileges.',
      },
    ];
  }
  if (found.type === 'BASE TABLE') return [];
  return [
    {
      code: 'LHM_NOT_A_TABLE',
      message: `'${full}' is a ${found.type.toLowerCase()}, not a table.`,
      hint:
        found.type === 'SYSTEM VERSIONED'
          ? 'A copy would lose the history of a system-versioned table; use ALTER TABLE with @@system_versioning_alter_history = KEEP.'
          : 'Name the table behind it.',
    },
  ];
};
