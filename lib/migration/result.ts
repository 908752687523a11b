import type { CutOverResult } from '../cut-over/cut-over';
import type { Phase } from '../phase';
import type { Parts } from './run-migration';
import type { VerifiedCounts } from '../verify/verifier';

/** What a successful migration did. */
export interface MigrationResult {
  /** `schema.table` */
  readonly table: string;
  /** The name, in the same schema, under which the original was kept; null if it was dropped. */
  readonly oldTable: string | null;
  /** With `replica: 'test'` the name, in the same schema, under which the new table was kept; null otherwise. */
  readonly testedTable: string | null;
  /** How the change was made: `copy`, into a new table that took the old one's place. */
  readonly strategy: 'copy';
  readonly rowsCopied: number;
  /** Captured changes applied to the new table, the last ones under the lock included. */
  readonly changesApplied: number;
  readonly verified: VerifiedCounts;
  /** Milliseconds for each phase, and in all. */
  readonly durations: Readonly<Partial<Record<Phase, number>>> & { readonly total: number };
  readonly cutOver: {
    readonly strategy: CutOverResult['strategy'];
    /** The longest that a write of the application can have waited for the swap, in ms. */
    readonly stallMs: number;
    readonly attempts: number;
    /** Transactions with an older read view that were left at the swap: 0 unless `oldReadViews` is `ignore`. */
    readonly oldReadViews: number;
    /** What such transactions got: `error` 1412, or they were waited for, or ignored. */
    readonly oldReadViewsAnswer: CutOverResult['oldReadViews']['answer'];
    /** Connections that were ended because they held the table for too long: none unless `killBlockers` is set. */
    readonly killed: CutOverResult['killed'];
  };
}

interface Migrated extends Pick<Parts, 'progress' | 'replayer' | 'verifier'> {
  readonly table: string;
  readonly oldTable: string | null;
  readonly testedTable: string | null;
  readonly cutOver: CutOverResult;
}

export function migrationResult(migrated: Migrated): MigrationResult {
  const { table, oldTable, testedTable, progress, replayer, verifier } = migrated;
  const { rowsCopied, elapsedMs } = progress.snapshot();
  const { strategy, stallMs, attempts, oldReadViews, killed } = migrated.cutOver;
  const unverified = { rows: 0, rounds: 0, rechecked: 0, underLock: 0, notCompared: rowsCopied };
  return {
    ...{ table, oldTable, testedTable, strategy: 'copy', rowsCopied },
    changesApplied: replayer.applied,
    verified: verifier?.counts ?? unverified,
    durations: { ...progress.phaseDurations(), total: Math.round(elapsedMs) },
    cutOver: {
      ...{ strategy, stallMs, attempts, killed },
      oldReadViews: oldReadViews.remaining,
      oldReadViewsAnswer: oldReadViews.answer,
    },
  };
}
