import { keyCandidates } from '../../schema/chunk-key';
import { ofTable } from '../check';

/** A key that names every row exactly once. */
export const chunkKey = ofTable((table) => {
  const { usable, rejected } = keyCandidates(table);
  if (usable.length > 0) return [];
  const why = rejected.map(({ index, reason }) => `'${index}' cannot be used: ${reason}`).join('; ');
  return [
    {
      code: 'LHM_NO_USABLE_KEY',
      message: `Table '${table.table}' has no PRIMARY KEY or UNIQUE key over NOT NULL columns${why === '' ? '' : ` (${why})`}.`,
      hint: 'Add a primary key, or make the columns of a unique key NOT NULL.',
    },
  ];
});
