import type { Knex } from 'knex';
import type { ProgressSnapshot } from '../progress/progress';
import type { EventListeners, EventSink } from '../events/emitter';
import type { ControlOptions, ResolvedControl } from './control-options';
import type { HookContext, HookOptions } from './hook-options';
import type { ThrottleFunction, ThrottleSource } from '../throttle/throttle-source';
import type { ThrottleOptions } from './throttle-options';

export type { CommandHookContext, Hook, HookContext, HookOptions, RetryHookContext } from './hook-options';
export type { ThrottleOptions } from './throttle-options';

export interface ChunkOptions {
  /** Rows in a chunk: a fixed number, or false to size chunks by time. Default false. */
  readonly rows?: number | false;
  /** How long one chunk should take, in ms, when sized by time. Default 500. */
  readonly targetMs?: number;
  /** Fewest rows in a chunk sized by time. Default 100. */
  readonly rowsMin?: number;
  /** Most rows in a chunk sized by time. Default 50000. */
  readonly rowsMax?: number;
  /** Pause after each chunk, in ms. Default 0. */
  readonly pauseMs?: number;
}

/**
 * Names of columns are those of the server or, with a `wrapIdentifier` (knexSnakeCaseMappers …), those that the given
 * Knex maps to them: `hashedAddress` as in the builder, or `hashed_address`. SQL is taken as it stands.
 */
export interface ColumnOptions {
  /** Old name → new name, for renames the ALTER does not show. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** New column → SQL expression over the old row's columns, instead of the old column's value. */
  readonly values?: Readonly<Record<string, string>>;
  /**
   * Values that do not fit the new definition are cut, zeroed or emptied as an ALTER without strict mode would, instead
   * of stopping the migration. Duplicates under a unique key stop it all the same. Default false.
   */
  readonly allowDataLoss?: boolean;
}

export interface VerifyOptions {
  /** Rows compared by one statement. Default 10000. */
  readonly rows?: number;
  /** Most keys left to compare while the application is blocked. Default 1000. */
  readonly underLock?: number;
}

/**
 * A function that is asked twice a second, and returns true when the swap may be made; or the path of a file: the swap is
 * postponed for as long as it is there.
 */
export type PostponeUntil = string | ((context: HookContext) => boolean | Promise<boolean>);

export interface CutOverOptions {
  /**
   * How the tables change places. `rename-under-lock`: one connection holds the lock and renames (MySQL 8.0.13+).
   * `sentry`: two connections and a sentry table (both servers). Default `auto`: the first the server can do.
   * `two-step`: one connection, two renames (both servers): in between the table is not there, and statements that wait
   * for it or come just then get error 1146. `rename-then-replay`: the order of 2011: the tables change places first, and
   * the last changes are applied then, before the lock is released; a swap that breaks off in between leaves a table that
   * takes no writes (error 1205) until it is taken back. docs/cut-over.md says what each asks of the application.
   */
  readonly strategy?: 'auto' | 'rename-under-lock' | 'sentry' | 'two-step' | 'rename-then-replay';
  /** How long one attempt may wait for the lock, in ms; whole seconds. Default 1000. */
  readonly lockTimeoutMs?: number;
  /** How long the application may be blocked by the last changes once the lock is held, in ms. Default 500; 5000 with the
   * fixture preset. */
  readonly drainBudgetMs?: number;
  /** Attempts before the migration gives up and rolls back. Default 100. */
  readonly attempts?: number;
  /** First pause between two attempts, in ms; it doubles up to `backoffMaxMs`. Default 500. */
  readonly backoffMs?: number;
  /** Longest pause between two attempts, in ms. Default 30000. */
  readonly backoffMaxMs?: number;
  /**
   * Transactions whose REPEATABLE READ view is older than the last change would read the new table's past.
   * `error`: they get error 1412, as after a native ALTER (MySQL 8.0.32+). `wait`: the swap waits until none is
   * left (needs the PROCESS privilege). `ignore`: they may read wrong rows. Default: the strictest the server allows.
   */
  readonly oldReadViews?: 'error' | 'wait' | 'ignore';
  /**
   * End (KILL) the connections that were seen to hold the table for longer than `lockTimeoutMs`, so that the next attempt
   * gets the lock: their transactions are rolled back. Never those of replication, of the server itself, or with a prepared
   * XA transaction. Takes the privilege to end others' connections and performance_schema. Default false.
   */
  readonly killBlockers?: boolean;
  /**
   * Holds the swap back once everything is copied and compared: a function, or the path of a flag file (relative to the
   * working directory). Until then changes go on being applied and compared. A function that throws stops the migration
   * (LHM_HOOK_FAILED). Default null: the swap follows at once.
   */
  readonly postponeUntil?: PostponeUntil | null;
}

export interface TriggerOptions {
  /** `user@host` that the triggers run as which capture changes; null for the account that migrates. Default null. */
  readonly definer?: string | null;
  /**
   * What becomes of the table's own triggers. `carry`: the new table has them from its first instant on. `refuse`: a table
   * that has any is not migrated. Default `carry`.
   */
  readonly existing?: 'carry' | 'refuse';
}

/** How the binary log is read, with `mode: 'binlog'`. */
export interface BinlogOptions {
  /**
   * A replica whose binary log is read instead of the primary's: a Knex, a URL (`mysql://user:password@host:3306`) or
   * connection settings. Everything is written to the server of `knex` all the same. What would let the replica's log miss a
   * change or tell it in another order is refused: docs/replicas.md. Default false: the log of the server itself.
   */
  readonly source?: Knex | string | Knex.MySql2ConnectionConfig | false;
  /** The number by which the server knows who reads its log; nobody else may have it. Default false: a free one is chosen. */
  readonly serverId?: number | false;
  /** How often a mark is written that shows how far the log has been read, in ms. Default 500. */
  readonly heartbeatMs?: number;
  /**
   * Most changed rows that one transaction applies to the new table; fewer where their keys are long. Default 1000. Smaller ones
   * hold locks and keep replicas busy for a shorter time, larger ones catch up faster.
   */
  readonly batchRows?: number;
}

export interface CleanUpOptions {
  /** Drop the original after the swap. Default false. */
  readonly dropOldTable?: boolean;
}

/** What is done on a replica. */
export type ReplicaOption = 'migrate' | 'test';

/** What becomes of foreign keys in either direction. */
export type ForeignKeysOption = 'auto' | 'refuse' | 'discard';

export type ProgressOption = 'auto' | 'bar' | 'lines' | 'none' | ((progress: ProgressSnapshot) => void);

/** What `largeHadronMigrate` takes. Only `knex` is required. */
export interface LargeHadronOptions {
  /**
   * A Knex on mysql2, not a transaction. The migration opens connections of its own from its configuration and runs
   * `pool.afterCreate` on each; its pool is left alone. They must reach one server directly: no pooler, no balancer.
   */
  readonly knex: Knex;
  /**
   * Resolve with the plan of what would be done, and touch nothing. `ghost`: the new table is really made and altered, and
   * removed again; the plan shows what it became. Default false.
   */
  readonly dryRun?: boolean | 'ghost';
  /**
   * How changes are captured. `triggers`: three triggers write the keys of changed rows to a journal, in the application's
   * own transactions. `binlog`: the server's binary log is read instead, and nothing is put on the application's statements;
   * needs binlog_format ROW and the privileges REPLICATION SLAVE and REPLICATION CLIENT. Default `triggers`.
   */
  readonly mode?: 'triggers' | 'binlog';
  readonly chunk?: ChunkOptions;
  readonly columns?: ColumnOptions;
  /** Compare every row before the swap. Default true. */
  readonly verify?: boolean | VerifyOptions;
  readonly cutOver?: CutOverOptions;
  /**
   * How many numbers the new table's AUTO_INCREMENT leaves free behind the original's. Default 0; 11000 with
   * `cutOver.strategy: 'rename-then-replay'`, as in 2011. Not where the column would run out of numbers by it.
   */
  readonly idWindow?: number;
  readonly triggers?: TriggerOptions;
  readonly binlog?: BinlogOptions;
  /**
   * The Knex leads to a replica, which is refused otherwise. `migrate`: the table is changed there alone, and stays so
   * (docs/replicas.md). `test`: the replication is stopped for the swap, which is taken back: the table is as it was, and the
   * new one is kept under `result.testedTable`, to be compared; the replication is left stopped. Takes `mode: 'binlog'`, because what is replicated by row fires no triggers.
   */
  readonly replica?: ReplicaOption;
  readonly throttle?: ThrottleOptions;
  /**
   * Where a person or a program can speak to the migration while it runs: false for nowhere. Default a unix socket; false
   * with the fixture preset.
   */
  readonly control?: boolean | ControlOptions;
  readonly cleanUp?: CleanUpOptions;
  /**
   * What becomes of foreign keys. `auto`: the table's own are there on the new one, those of other tables lead to it.
   * `refuse`: a table with any is not migrated. `discard`: the new table has none but those the change adds; those of
   * other tables lead to it. Default `auto`.
   */
  readonly foreignKeys?: ForeignKeysOption;
  /**
   * What to do when the account lacks PROCESS and so cannot see foreign keys from hidden schemas, a TRUNCATE by somebody
   * else, replicated writes and older read views. Default `refuse`; `accept` when none of that can happen.
   */
  readonly blindSpots?: 'refuse' | 'accept';
  /**
   * How long a server that does not answer is waited for when a connection is lost while rows are copied, verified or
   * swapped, in ms; 0 stops at the first loss. Default 120000, for fixtures 5000.
   */
  readonly reconnectMs?: number;
  /**
   * How long each lock on the table is waited for while others hold it, in ms: to install the triggers, to swap, to clean
   * up. False for as long as the attempts allow, which is minutes. Default false; 2000 with the fixture preset.
   */
  readonly giveUpAfterMs?: number | false;
  /**
   * Count the rows beside the copy, so that progress and time left are not taken from the server's estimate; on a connection
   * of its own, range by range, until the copy ends. Default true; false with the fixture preset.
   */
  readonly exactRowCount?: boolean;
  /** A bar on a terminal, plain lines in a log, nothing, or a function. Default `auto`. */
  readonly progress?: ProgressOption;
  readonly hooks?: HookOptions;
  /** Told of everything that happens, with no say in it: a `LargeHadronEvents`, or an EventEmitter of Node's. */
  readonly events?: EventListeners;
  /** Stops the migration cleanly when aborted. */
  readonly signal?: AbortSignal;
  /** Catch SIGINT, SIGTERM and, unless the application does, SIGHUP, so that the migration stops cleanly. Default true. */
  readonly handleSignals?: boolean;
  /**
   * `fixture`: no pauses, no progress, large chunks, little patience with those who hold the table, and none of it for
   * transactions of connections to other databases, which are other processes of a test suite. Default: `fixture` when
   * NODE_ENV is `test`.
   */
  readonly preset?: 'production' | 'fixture';
}

/** The throttle's, with every default filled in. */
export type ResolvedThrottle = Omit<Required<ThrottleOptions>, 'replicas' | 'sources'> & {
  readonly replicas: readonly (Knex | string)[];
  readonly sources: readonly (ThrottleSource | ThrottleFunction)[];
};

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly knex: Knex;
  readonly mode: 'triggers' | 'binlog';
  readonly chunk: Required<ChunkOptions>;
  readonly columns: Required<ColumnOptions>;
  readonly verify: Required<VerifyOptions> | false;
  readonly cutOver: Omit<Required<CutOverOptions>, 'oldReadViews'> & Pick<CutOverOptions, 'oldReadViews'>;
  readonly idWindow: number;
  readonly triggers: Required<TriggerOptions>;
  readonly binlog: Required<BinlogOptions>;
  /** Null where the server is no replica. */
  readonly replica: ReplicaOption | null;
  readonly throttle: ResolvedThrottle;
  readonly control: ResolvedControl;
  readonly cleanUp: Required<CleanUpOptions>;
  readonly foreignKeys: ForeignKeysOption;
  readonly blindSpots: 'refuse' | 'accept';
  readonly reconnectMs: number;
  /** Whose old read views are waited for: everybody's, or those of connections to the table's own database. */
  readonly viewsOf: 'server' | 'database';
  /** Infinity where there is no limit. */
  readonly giveUpAfterMs: number;
  readonly exactRowCount: boolean;
  readonly progress: ProgressOption;
  readonly hooks: HookOptions;
  readonly events: EventSink;
  readonly signal: AbortSignal | undefined;
  readonly handleSignals: boolean;
}
