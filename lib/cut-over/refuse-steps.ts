import { Refusal } from '../errors';
import type { StrategyName } from './cut-over-deps';
import type { LockedStep } from './locked-step';

const WITHOUT_LOCK: ReadonlySet<string> = new Set<StrategyName>(['two-step', 'rename-then-replay']);

/** Whether an attempt may rename the original and give it its name back. */
export function mayTakeBackRenames(strategy: string): boolean {
  return WITHOUT_LOCK.has(strategy);
}

/**
 * What changes hands together with the table may need a lock that lasts until the swap, and a new table that is complete
 * by then.
 *
 * @throws Refusal LHM_UNSUPPORTED_OPTION
 */
export function refuseSteps(
  strategy: string,
  steps: readonly Pick<LockedStep, 'needsLock' | 'unsafe'>[],
): void {
  const reasons = steps.flatMap(({ needsLock, unsafe }) => [
    ...(WITHOUT_LOCK.has(strategy) && needsLock !== null ? [needsLock] : []),
    ...(unsafe?.strategy === strategy ? [unsafe.why] : []),
  ]);
  if (reasons.length === 0) return;
  throw new Refusal(
    'LHM_UNSUPPORTED_OPTION',
    `cutOver.strategy '${strategy}' is not possible for this table: ${reasons.join('; ')}.`,
    'Leave cutOver.strategy out: the default swaps the tables in one step, under the lock.',
  );
}
