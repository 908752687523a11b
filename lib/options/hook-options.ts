import type { ProgressSnapshot } from '../progress/progress';

/** What a hook is told. */
export interface HookContext {
  /** `schema.table` */
  readonly table: string;
  /** The new table's name before the swap, without the schema. */
  readonly ghostTable: string;
  /** The name the original gets at the swap, without the schema. */
  readonly oldTable: string;
  /** The change as it was given, where it was given as a string. */
  readonly alter: string | null;
  readonly progress: ProgressSnapshot;
}

export type Hook = (context: HookContext) => void | Promise<void>;

/** What `onInteractiveCommand` is told. */
export interface CommandHookContext extends HookContext {
  readonly command: string;
  /** What stood after `=`; null where nothing did. */
  readonly value: string | null;
}

/** What `onBatchCopyRetry` is told. */
export interface RetryHookContext extends HookContext {
  /** How often the chunk has failed. */
  readonly attempt: number;
  readonly error: unknown;
}

/** Called at fixed points of the run, in this order, and awaited. A hook that throws stops the migration, but for some. */
export interface HookOptions {
  /** At the very beginning; only the run's lock is held. */
  readonly onStartup?: Hook;
  /** After preflight: the migration can be made. Nothing has been created. */
  readonly onValidated?: Hook;
  /** Before the first row is copied. */
  readonly beforeRowCopy?: Hook;
  /** Once the rows are counted (`exactRowCount`), or estimated where they are not to be; beside the copy. */
  readonly onRowCountComplete?: Hook;
  /** Before a chunk that failed for a passing reason is copied again. */
  readonly onBatchCopyRetry?: (context: RetryHookContext) => void | Promise<void>;
  /** After the last row was copied, before the verification. */
  readonly afterRowCopy?: Hook;
  /** When the swap is held back (`cutOver.postponeUntil`, or the operator). */
  readonly onBeginPostponed?: Hook;
  /** With `replica: 'test'`, before the replication is stopped. */
  readonly onStopReplication?: Hook;
  /** With `replica: 'test'`, before the replication is started again because the test failed. What it throws is ignored. */
  readonly onStartReplication?: Hook;
  /** Before the lock of the cut-over is asked for the first time. Throwing keeps the table as it is. */
  readonly beforeCutOver?: Hook;
  /** After the swap. Throwing is reported as outcome `swapped`. */
  readonly afterCutOver?: Hook;
  /** Before a command of the control server is run. Throwing refuses the command, and nothing else. */
  readonly onInteractiveCommand?: (context: CommandHookContext) => void | Promise<void>;
  /** Every few seconds. What it throws is ignored. */
  readonly onStatus?: Hook;
  /** At the very end of a successful run. What it throws is ignored. */
  readonly onSuccess?: Hook;
  /** Before the call rejects. What it throws is ignored. */
  readonly onFailure?: (error: Error, context: HookContext) => void | Promise<void>;
  /** How often `onStatus` is called, in ms. Default 5000. */
  readonly statusEveryMs?: number;
  /** A folder of executables that are run at the same points: docs/hooks.md. */
  readonly directory?: string;
  /** Passed to executables as it is. */
  readonly hint?: string;
  /** How long an executable may take before it is ended and has failed, in ms. Default 60000. */
  readonly scriptTimeoutMs?: number;
}
