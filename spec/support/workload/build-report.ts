import type { Run } from './actors/run';
import { DEADLOCK, LOCK_TIMEOUT, STALE_VIEW } from './errors';
import type { RowCounts } from './final-check';
import { summarize } from './latencies';
import { OPERATION_KINDS, type OperationKind } from './operations';
import type { LedgerReport } from './report';

export function buildReport(
  { options, ledger, tally }: Run,
  rows: RowCounts,
  clientStallMs: number,
): LedgerReport {
  const { findings } = tally;
  return {
    seed: options.seed,
    durationMs: Math.round(tally.elapsedMs),
    transactions: tally.transactions,
    acknowledged: acknowledged(tally.acknowledged),
    rows,
    increments: ledger.increments,
    maybeTransactions: ledger.doubts.length,
    lost: findings.list('lost'),
    extra: findings.list('extra'),
    wrong: findings.list('wrong'),
    readerViolations: findings.list('reader'),
    dumpViolations: findings.list('dump'),
    unexpectedErrors: findings.list('error'),
    totals: {
      lost: findings.total('lost'),
      extra: findings.total('extra'),
      wrong: findings.total('wrong'),
      readerViolations: findings.total('reader'),
      dumpViolations: findings.total('dump'),
      unexpectedErrors: findings.total('error'),
    },
    errors: tally.errors,
    staleViewRetries: tally.count(STALE_VIEW),
    deadlocks: tally.count(DEADLOCK),
    lockTimeouts: tally.count(LOCK_TIMEOUT),
    lostConnections: tally.lostConnections,
    reads: { ...tally.reads },
    longestQueryMs: tally.slowest.ms,
    longestQuery: tally.slowest,
    probe: summarize(tally.probe),
    clientStallMs,
    phases: tally.phases(),
  };
}

/** Every kind has its number, 0 as well. */
export function acknowledged(counts: ReadonlyMap<OperationKind, number>): Record<OperationKind, number> {
  return Object.fromEntries(OPERATION_KINDS.map((kind) => [kind, counts.get(kind) ?? 0])) as Record<
    OperationKind,
    number
  >;
}
