import { keyCandidates, noCandidate } from '../../schema/chunk-key';
import { ofTable } from '../check';

/** A key that names every row exactly once. */
export const chunkKey = ofTable((table) => {
  const { usable, rejected } = keyCandidates(table);
  return usable.length > 0 ? [] : [noCandidate(table, rejected)];
});
