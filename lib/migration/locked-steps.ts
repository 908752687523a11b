import type { LockedStep } from '../cut-over/locked-step';
import { SequenceLocks } from '../cut-over/sequence-locks';
import type { TablePair } from '../schema/table-pair';

/** Everything that changes hands together with this table, in the order in which it is done under the lock. */
export function lockedSteps(pair: TablePair): readonly LockedStep[] {
  return [new SequenceLocks(pair)];
}
