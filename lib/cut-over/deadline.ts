import { Postponed } from './postponed';
import { clock } from '../util/clock';

/** How long writers may still be kept waiting. */
export interface Deadline {
  readonly leftMs: number;
  /** @throws Postponed when the time is over */
  check(doing: string): void;
}

export function deadlineIn(budgetMs: number): Deadline {
  const end = clock.monotonic() + budgetMs;
  return {
    get leftMs() {
      return Math.max(0, end - clock.monotonic());
    },
    check(doing) {
      if (clock.monotonic() > end)
        throw new Postponed(`${doing} took longer than cutOver.drainBudgetMs (${budgetMs} ms)`);
    },
  };
}
