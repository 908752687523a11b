import type { ChangeSource } from '../changes/change-source';
import { HelperKey } from '../cut-over/helper-key';
import type { LockedStep } from '../cut-over/locked-step';
import { SequenceLocks } from '../cut-over/sequence-locks';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { KeysStep } from '../foreign-keys/keys-step';
import type { OriginGuard } from '../guard/origin-guard';
import { changesKeys, type KeyPlan } from '../schema/key-plan';
import type { TablePair } from '../schema/table-pair';
import type { StateTable } from '../state/state-table';
import { CarryTriggers } from '../table-triggers/carry-triggers';
import type { CarriedTrigger } from '../table-triggers/table-trigger';

export interface LockedStepsInput {
  readonly pair: TablePair;
  readonly keys: KeyPlan;
  readonly work: Session;
  readonly state: StateTable;
  readonly guard: OriginGuard;
  readonly source: ChangeSource;
  readonly server: ServerCapabilities;
  /** The table's own, which go with it. */
  readonly triggers: readonly CarriedTrigger[];
  /** Whether sessions that create triggers take turns. */
  readonly turnsNeeded: boolean;
  /** Whether the strategy holds its lock until the steps are done. */
  readonly lockOutlivesSwap: boolean;
}

/** Everything that changes hands together with this table, in the order in which it is done under the lock. */
export function lockedSteps(input: LockedStepsInput): readonly LockedStep[] {
  const { pair, keys, work, state, guard, source, server, triggers, turnsNeeded, lockOutlivesSwap } = input;
  return [
    new SequenceLocks(pair),
    ...(pair.key.helper ? [new HelperKey(pair, work, state, lockOutlivesSwap)] : []),
    ...(triggers.length > 0 ? [new CarryTriggers(pair, triggers, work, state, turnsNeeded)] : []),
    // The last before the swap: what is wrong when a run dies in between is wrong for the shortest time.
    ...(changesKeys(keys)
      ? [new KeysStep({ pair, keys, work, state, guard, source, server, lockStays: lockOutlivesSwap })]
      : []),
  ];
}
