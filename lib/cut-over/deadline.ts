import { Postponed } from './postponed';

/** How long writers may still be kept waiting. */
export interface Deadline {
  readonly leftMs: number;
  /** @throws Postponed when the time is over */
  check(doing: string): void;
}

export function deadlineIn(budgetMs: number): Deadline {
  const end = performance.now() + budgetMs;
  return {
    get leftMs() {
      return Math.max(0, end - performance.now());
    },
    check(doing) {
      if (performance.now() > end)
        throw new Postponed(`${doing} took longer than cutOver.drainBudgetMs (${budgetMs} ms)`);
    },
  };
}
