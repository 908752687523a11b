import { HelperKey } from '../cut-over/helper-key';
import type { LockedStep } from '../cut-over/locked-step';
import { SequenceLocks } from '../cut-over/sequence-locks';
import type { Session } from '../database/session';
import type { TablePair } from '../schema/table-pair';
import type { StateTable } from '../state/state-table';

export interface StepInput {
  readonly pair: TablePair;
  readonly work: Session;
  readonly state: StateTable;
  /** Whether the strategy holds its lock until the steps are done. */
  readonly lockOutlivesSwap: boolean;
}

/** Everything that changes hands together with this table, in the order in which it is done under the lock. */
export function lockedSteps({ pair, work, state, lockOutlivesSwap }: StepInput): readonly LockedStep[] {
  const helper = pair.key.helper ? [new HelperKey(pair, work, state, lockOutlivesSwap)] : [];
  return [new SequenceLocks(pair), ...helper];
}
