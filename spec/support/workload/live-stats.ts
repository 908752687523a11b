import type { Run } from './actors/run';
import { acknowledged } from './build-report';
import { DEADLOCK, LOCK_TIMEOUT, STALE_VIEW } from './errors';
import { summarize, type Latencies } from './latencies';
import type { OperationKind } from './operations';
import type { LedgerReport } from './report';

/** Live numbers, cheap enough to be asked for several times a second. */
export interface LiveStats {
  readonly phase: string;
  readonly runningMs: number;
  readonly transactions: number;
  /** Over the last second or so. */
  readonly transactionsPerSecond: number;
  readonly acknowledged: Readonly<Record<OperationKind, number>>;
  readonly increments: number;
  /** Everything that would make the report not exact, so far; the final comparison is still to come. */
  readonly findings: number;
  readonly deadlocks: number;
  readonly lockTimeouts: number;
  readonly staleViewRetries: number;
  readonly lostConnections: number;
  readonly reads: LedgerReport['reads'];
  /** Transactions of paired readers and dumps that hold a view now. */
  readonly openViews: number;
  readonly longestQueryMs: number;
  /** Of the last 400 touches, about two seconds. */
  readonly probe: Latencies;
  /** The longest touch of all. */
  readonly probeMaxMs: number;
}

export function liveStats({ ledger, tally }: Run): LiveStats {
  return {
    phase: tally.phaseName,
    runningMs: Math.round(tally.elapsedMs),
    transactions: tally.transactions,
    transactionsPerSecond: tally.rate.perSecond(),
    acknowledged: acknowledged(tally.acknowledged),
    increments: ledger.increments.acknowledged,
    findings: tally.findings.all,
    deadlocks: tally.count(DEADLOCK),
    lockTimeouts: tally.count(LOCK_TIMEOUT),
    staleViewRetries: tally.count(STALE_VIEW),
    lostConnections: tally.lostConnections,
    reads: { ...tally.reads },
    openViews: tally.openViews,
    longestQueryMs: tally.slowest.ms,
    probe: summarize(tally.probe.slice(-400)),
    probeMaxMs: tally.probeMax,
  };
}
