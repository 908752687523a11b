import type { Finding } from './findings';
import type { Latencies } from './latencies';
import type { OperationKind } from './operations';
import type { PhaseReport, SlowStatement } from './tally';

export interface LedgerReport {
  readonly seed: number;
  readonly durationMs: number;
  /** Acknowledged transactions, rollbacks included. */
  readonly transactions: number;
  readonly acknowledged: Readonly<Record<OperationKind, number>>;
  readonly rows: { readonly expected: number; readonly actual: number };
  /** Increments of all counters, and those whose COMMIT got no answer. */
  readonly increments: { readonly acknowledged: number; readonly maybe: number };
  /** Other transactions whose COMMIT got no answer: either state is right, but not a mixture. */
  readonly maybeTransactions: number;
  /** The first 1000 of each; `totals` has the numbers. */
  readonly lost: readonly Finding[];
  readonly extra: readonly Finding[];
  readonly wrong: readonly Finding[];
  readonly readerViolations: readonly Finding[];
  readonly dumpViolations: readonly Finding[];
  readonly unexpectedErrors: readonly Finding[];
  readonly totals: Readonly<Record<FindingList, number>>;
  readonly errors: ReadonlyMap<string, number>;
  /** Error 1412: a view older than the table. */
  readonly staleViewRetries: number;
  readonly deadlocks: number;
  readonly lockTimeouts: number;
  readonly lostConnections: number;
  /** What the readers really compared; transactions that ended in 1412 are not in it. */
  readonly reads: Readonly<
    Record<'writer' | 'fresh' | 'freshRows' | 'paired' | 'pairedRows' | 'dumps' | 'dumpRows', number>
  >;
  /** Waiting for another writer's row lock included. */
  readonly longestQueryMs: number;
  readonly longestQuery: SlowStatement;
  readonly probe: Latencies;
  /** The longest that this process itself stood still: a probe cannot be more exact than that. */
  readonly clientStallMs: number;
  readonly phases: readonly PhaseReport[];
}

export const FINDING_LISTS = [
  'lost',
  'extra',
  'wrong',
  'readerViolations',
  'dumpViolations',
  'unexpectedErrors',
] as const;

export type FindingList = (typeof FINDING_LISTS)[number];

/** Nothing lost, extra or wrong, for nobody, at no time. A run in which nothing happened is not exact. */
export function isExact(report: LedgerReport): boolean {
  return report.transactions > 0 && FINDING_LISTS.every((list) => report.totals[list] === 0);
}

/** The same of the rows, whatever readers have seen meanwhile. */
export function keepsEveryWrite({ transactions, totals }: LedgerReport): boolean {
  return transactions > 0 && totals.lost + totals.extra + totals.wrong + totals.unexpectedErrors === 0;
}

/** For people: a few lines, and the first findings of each kind. */
export function describeReport(report: LedgerReport, findings = 5): string {
  const seconds = report.durationMs / 1000;
  const { reads, probe } = report;
  const lines = [
    `${isExact(report) ? 'EXACT' : 'NOT EXACT'} (seed ${report.seed}): ${report.transactions} transactions in ${seconds.toFixed(1)} s, ` +
      `${report.rows.actual} rows (${report.rows.expected} expected), ${report.increments.acknowledged} increments`,
    `lost ${report.totals.lost}, extra ${report.totals.extra}, wrong ${report.totals.wrong}, ` +
      `reader violations ${report.totals.readerViolations}, dump violations ${report.totals.dumpViolations}, ` +
      `unexpected errors ${report.totals.unexpectedErrors}`,
    `compared while running: ${reads.fresh} fresh reads, ${reads.paired} paired reads, ${reads.dumps} dumps of ${reads.dumpRows} rows`,
    `1412 ${report.staleViewRetries}, deadlocks ${report.deadlocks}, lock timeouts ${report.lockTimeouts}, ` +
      `lost connections ${report.lostConnections}, longest query ${report.longestQueryMs} ms`,
  ];
  if (report.maybeTransactions + report.increments.maybe > 0) {
    lines.push(
      `without an answer: ${report.maybeTransactions} transactions, ${report.increments.maybe} increments`,
    );
  }
  if (probe.count > 0) {
    lines.push(
      `probe: p50 ${probe.p50} ms, p95 ${probe.p95} ms, max ${probe.max} ms (client stalls up to ${report.clientStallMs} ms)`,
    );
  }
  if (report.phases.length > 1) lines.push(...report.phases.map(describePhase));
  for (const list of FINDING_LISTS) {
    for (const { id, by, detail, atMs } of report[list].slice(0, findings)) {
      lines.push(`  ${list} after ${atMs} ms, ${by}${id === null ? '' : `, id ${id}`}: ${detail}`);
    }
    const more = report.totals[list] - Math.min(findings, report[list].length);
    if (more > 0) lines.push(`  ${list}: ${more} more`);
  }
  return lines.join('\n');
}

function describePhase(phase: PhaseReport): string {
  const rate = (n: number): string => (phase.ms === 0 ? '0' : ((n * 1000) / phase.ms).toFixed(1));
  const probe = phase.probe.count > 0 ? `, probe p95 ${phase.probe.p95} max ${phase.probe.max} ms` : '';
  return (
    `  ${phase.name}: ${phase.ms} ms, ${rate(phase.transactions)} transactions/s, ${rate(phase.deadlocks)} deadlocks/s, ` +
    `1412 ${phase.staleViewRetries}, longest query ${phase.longestQueryMs} ms${probe}`
  );
}
