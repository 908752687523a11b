import type { Knex } from 'knex';
import type { ThrottleFunction, ThrottleSource } from '../throttle/throttle-source';

/** Status variables of the server (`SHOW GLOBAL STATUS`) and the value above which each is too much. */
export type Loads = Readonly<Record<string, number>>;

/**
 * Whom the migration makes way for. While one of them says so nothing is copied, applied or compared, and no attempt at the
 * swap begins; `progress.throttled` says why. What cannot be seen holds as well. `false` switches each off.
 */
export interface ThrottleOptions {
  /**
   * Holds while a status variable is above its value, as `{ Threads_running: 100 }`. `'auto'`: while Threads_running is
   * above 50, four times the server's cores and twice what is usual; what goes on for a minute while the migration holds
   * becomes usual. Default `'auto'`, false for fixtures.
   */
  readonly maxLoad?: Loads | 'auto' | false;
  /** Stops the migration (LHM_CRITICAL_LOAD) when a status variable is above its value. Default false. */
  readonly criticalLoad?: Loads | false;
  /** Stops at `criticalLoad` only when it is exceeded this much later as well, in ms; holds meanwhile. Default false: at once. */
  readonly criticalLoadIntervalMs?: number | false;
  /** Instead of stopping at `criticalLoad`, holds for this long and looks again, in ms. Default false. */
  readonly criticalLoadHibernateMs?: number | false;
  /**
   * Holds while InnoDB's history list, which is what purge has still to remove, is longer than this; takes the PROCESS
   * privilege on MySQL. `'auto'`: while it is longer than 1,000,000 and twice what is usual; what goes on for a minute while
   * the migration holds becomes usual. Default `'auto'`, false for fixtures.
   */
  readonly maxHistoryLength?: number | 'auto' | false;
  /** After a chunk that took longer than this, in ms, the copy rests for as long as it took, but 30 s at most. Default 5000,
   * false for fixtures. */
  readonly maxChunkMs?: number | false;
  /**
   * Replicas to watch: a Knex for each, or a URL (`mysql://user:password@host:3306`). The account must be allowed to ask for
   * its status (REPLICATION CLIENT; on MariaDB REPLICA MONITOR). Holds while one lags, has stopped or does not answer. The
   * pools of the Knexes are left alone. Default none.
   */
  readonly replicas?: readonly (Knex | string)[] | false;
  /**
   * How far a replica may lag, in ms; with `mode: 'binlog'` measured by the migration's own heartbeat where the account may
   * read it, otherwise what the server says, in whole seconds. False: only those that have stopped hold. Default 1500.
   */
  readonly maxLagMs?: number | false;
  /** After each step of the copy and the comparison, rests for this many times as long as it took. Default 0. */
  readonly niceRatio?: number;
  /** Holds for as long as there is a file of this name (relative to the working directory). Default false. */
  readonly flagFile?: string | false;
  /** One more such file, as for all migrations of a machine. Default false. */
  readonly additionalFlagFile?: string | false;
  /** SQL that returns a number: above 0 holds, and so do NULL and no row. Run on the migrated server. Default false. */
  readonly query?: string | false;
  /** URL that is asked by HEAD: any status but 200 holds, and so does no answer. Default false. */
  readonly http?: string | false;
  /** The caller's own: functions that return a reason to hold, or null; or `ThrottleSource`s. Default none. */
  readonly sources?: readonly (ThrottleSource | ThrottleFunction)[] | false;
  /** How often each is asked, in ms. Default 500. */
  readonly intervalMs?: number;
}
