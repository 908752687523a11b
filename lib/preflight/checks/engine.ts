import { qualified } from '../../database/sql';
import { ofTable } from '../check';

/** Only InnoDB has the transactions that everything here rests on. */
export const engine = ofTable((table, { found }) => {
  if (found?.engine?.toLowerCase() === 'innodb') return [];
  return [
    {
      code: 'LHM_UNSUPPORTED_ENGINE',
      message: `Table '${table.table}' uses the engine ${found?.engine ?? 'unknown'}, which has no transactions.`,
      hint: `Change it first: ALTER TABLE ${qualified(table.schema, table.table)} ENGINE = InnoDB;`,
    },
  ];
});
