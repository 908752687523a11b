export { largeHadronMigrate } from './large-hadron-migrate';
export { largeHadronCleanUp, type CleanUpCallOptions } from './large-hadron-clean-up';
export type { CleanUpResult } from './migration/clean-up';
export type { OldTable } from './migration/old-tables';
export { planLargeHadronMigration } from './plan-large-hadron-migration';
export { LargeHadronError } from './errors';
export { LargeHadronEvents, type EventListeners } from './events/emitter';
export type { EventMap, EventName } from './events/event-map';
export type { ErrorCode, Leftover, Outcome, Problem } from './errors';
export type { AlterContext, AlterFunction } from './ghost/alter-function';
export type { Killed } from './cut-over/blocker-killer';
export type { MigrationResult } from './migration/result';
export type {
  ChunkOptions,
  CleanUpOptions,
  ColumnOptions,
  CommandHookContext,
  CutOverOptions,
  ForeignKeysOption,
  Hook,
  HookContext,
  HookOptions,
  LargeHadronOptions,
  PostponeUntil,
  ProgressOption,
  RetryHookContext,
  ThrottleOptions,
  TriggerOptions,
  VerifyOptions,
} from './options/options';
export type { Loads } from './options/throttle-options';
export type { Phase } from './phase';
export type {
  DataRisk,
  MigrationPlan,
  PlanBlocker,
  PlanEstimate,
  PlannedColumn,
  PlanReference,
  PlannedTrigger,
} from './plan/plan';
export type { ProgressSnapshot } from './progress/progress';
export type { ThrottleFunction, ThrottleSource, Verdict } from './throttle/throttle-source';
export type { VerifiedCounts } from './verify/verifier';
