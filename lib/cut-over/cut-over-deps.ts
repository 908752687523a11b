import type { ChangeSource } from '../changes/change-source';
import type { Replayer } from '../changes/replayer';
import type { Database } from '../database/database';
import type { Session } from '../database/session';
import type { OriginGuard } from '../guard/origin-guard';
import type { ResolvedOptions } from '../options/options';
import type { PairView } from '../schema/pair-view';
import type { TablePair } from '../schema/table-pair';
import type { StateTable } from '../state/state-table';
import type { Verifier } from '../verify/verifier';
import type { LockedStep } from './locked-step';

/** Carries on over lost connections; see `Recovery`. */
export interface Steadiness {
  /** Repeats a step that broke off with its connection, and so must be one that may be repeated. */
  steadily<T>(step: () => Promise<T>): Promise<T>;
  /** Whether the error leaves something to be carried on. */
  canRecover(error: unknown): boolean;
  /** Makes the work session and the observer usable again; throws when that cannot be. */
  recover(cause: unknown): Promise<void>;
}

/** What every strategy of the cut-over works with. */
export interface CutOverDeps {
  readonly database: Database;
  /** Copies, applies, and with `rename-under-lock` also locks and renames. autocommit is off. */
  readonly work: Session;
  /** Looks at the server while the others wait. */
  readonly observer: Session;
  readonly pair: TablePair;
  /** The same, as it is named now: what applies and compares changes writes so. */
  readonly view: PairView;
  readonly state: StateTable;
  /** What tells this run from others, and which only its own sessions know. */
  readonly epoch: string;
  readonly source: ChangeSource;
  readonly replayer: Replayer;
  readonly verifier: Verifier | null;
  readonly guard: OriginGuard;
  /** What changes hands together with the table, in this order. */
  readonly steps: readonly LockedStep[];
  readonly steadiness: Steadiness;
  readonly options: ResolvedOptions;
  readonly signal: AbortSignal;
}

/** For whom attempts are put off, and for whom not. */
export interface MakingWay {
  /** Resolves when neither the throttle nor the operator holds the swap back. */
  untilClear(): Promise<void>;
  /** Runs an attempt, in which nobody is made way for. */
  notMeanwhile<T>(attempt: () => Promise<T>): Promise<T>;
}

export type StrategyName = 'rename-under-lock' | 'sentry' | 'two-step' | 'rename-then-replay';

/** What one successful attempt took. */
export interface SwapTimes {
  /** From the request for the lock to the new table being there, in ms: the longest any writer can have waited. */
  readonly stallMs: number;
  /** Transactions with an older read view that were left when the tables were swapped. */
  readonly oldReadViews: number;
}

/** One way for the tables to change places, once the work session holds them and the ghost is complete. */
export interface SwapStrategy {
  readonly name: StrategyName;
  /** Runs before the lock is asked for; returns further tables to lock for writing. */
  prepare(): Promise<readonly string[]>;
  /** Swaps. The caller releases the lock, where the swap itself has not. */
  swap(): Promise<void>;
  /** Closes what the strategy opened and removes what it created. */
  dispose(): Promise<void>;
}
