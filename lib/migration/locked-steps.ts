import type { LockedStep } from '../cut-over/locked-step';

/** Everything that changes hands together with this table, in the order in which it is done under the lock. */
export function lockedSteps(): readonly LockedStep[] {
  return [];
}
