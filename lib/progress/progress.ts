import type { Phase } from '../phase';

/** What a migration looks like at one moment. Immutable: everyone who shows or reports something reads one of these. */
export interface ProgressSnapshot {
  /** `schema.table` */
  readonly table: string;
  readonly phase: Phase;
  readonly elapsedMs: number;
  readonly rowsCopied: number;
  /** The server's estimate of the rows in the table, never below `rowsCopied`. */
  readonly rowsEstimated: number;
  /** Rows copied per second, over the last seconds. */
  readonly rowsPerSecond: number;
  /** Until the copy ends, at the recent speed, in ms; null while it cannot be told. */
  readonly etaMs: number | null;
  readonly changesApplied: number;
  /** Captured changes that wait to be applied, as last counted; counting stops at 10,000. */
  readonly backlog: number;
  readonly rowsVerified: number;
  /** Why nothing moves; null while something does. */
  readonly waitingFor: string | null;
  /** Whom the migration makes way for (`throttle`, or the operator); null while it does for nobody. */
  readonly throttled: string | null;
}
