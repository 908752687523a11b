/**
 * The application that runs on a table while it is migrated, and the ledger that knows what every row must be. One
 * lost, extra, stale or wrong row makes its report not exact.
 */
export type { Finding } from './findings';
export type { Latencies } from './latencies';
export type { LiveStats } from './live-stats';
export { OPERATION_KINDS, type OperationKind } from './operations';
export type { Connection, Isolation, KeyKind, PrepareOptions, WorkloadOptions } from './options';
export { prepareLedgerTable } from './prepare';
export { describeReport, isExact, keepsEveryWrite, type LedgerReport } from './report';
export { pairTableName } from './tables';
export type { PhaseReport, SlowStatement } from './tally';
export { createWorkload, type Workload } from './workload';
