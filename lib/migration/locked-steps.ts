import type { LockedStep } from '../cut-over/locked-step';
import type { Session } from '../database/session';
import type { TablePair } from '../schema/table-pair';
import type { StateTable } from '../state/state-table';
import { CarryTriggers } from '../table-triggers/carry-triggers';
import type { CarriedTrigger } from '../table-triggers/table-trigger';

export interface LockedStepsInput {
  readonly pair: TablePair;
  readonly work: Session;
  readonly state: StateTable;
  /** The table's own, which go with it. */
  readonly triggers: readonly CarriedTrigger[];
  /** Whether sessions that create triggers take turns. */
  readonly turnsNeeded: boolean;
}

/** Everything that changes hands together with this table, in the order in which it is done under the lock. */
export function lockedSteps({
  pair,
  work,
  state,
  triggers,
  turnsNeeded,
}: LockedStepsInput): readonly LockedStep[] {
  return triggers.length === 0 ? [] : [new CarryTriggers(pair, triggers, work, state, turnsNeeded)];
}
