import { clock } from '../util/clock';
import { Postponed, RAISE_BUDGET } from './postponed';

/** How long writers may still be kept waiting. */
export interface Deadline {
  readonly leftMs: number;
  /** @throws Postponed when the time is over */
  check(doing: string): void;
}

/** @param named the option that the budget is from, if it is from one */
export function deadlineIn(budgetMs: number, named?: string): Deadline {
  const end = clock.monotonic() + budgetMs;
  return {
    get leftMs() {
      return Math.max(0, end - clock.monotonic());
    },
    check(doing) {
      if (clock.monotonic() > end)
        throw named === undefined
          ? new Postponed(`${doing} took longer than ${budgetMs} ms`)
          : new Postponed(`${doing} took longer than ${named} (${budgetMs} ms)`, { wayOut: RAISE_BUDGET });
    },
  };
}
