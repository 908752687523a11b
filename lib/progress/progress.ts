import type { Phase } from '../phase';

/** What a migration looks like at one moment. Immutable: everyone who shows or reports something reads one of these. */
export interface ProgressSnapshot {
  /** `schema.table` */
  readonly table: string;
  readonly phase: Phase;
  readonly elapsedMs: number;
  readonly rowsCopied: number;
  /** Rows in the table, never below `rowsCopied`: the server's estimate, or what was counted (`rowsCounted`). */
  readonly rowsEstimated: number;
  /** Whether `rowsEstimated` was counted (`exactRowCount`), and is no estimate any more. */
  readonly rowsCounted: boolean;
  /** Rows copied per second, over the last ten seconds. */
  readonly rowsPerSecond: number;
  /** Until the copy ends, at the recent speed, in ms; null while it cannot be told. */
  readonly etaMs: number | null;
  readonly changesApplied: number;
  /** Captured changes that wait to be applied, as last counted; counting stops at 10,000. */
  readonly backlog: number;
  readonly rowsVerified: number;
  /** Why nothing moves; null while something does. */
  readonly waitingFor: string | null;
  /** The hook that is waited for, and since when, in ms since 1970; null while none takes long. */
  readonly hook: { readonly name: string; readonly since: number } | null;
  /** Who holds the swap back (`cutOver.postponeUntil`, or the operator) and since when, in ms since 1970; null while nobody does. */
  readonly postponed: { readonly by: string; readonly since: number } | null;
  /** Whom the migration makes way for (`throttle`, or the operator); null while it does for nobody. */
  readonly throttled: string | null;
}
