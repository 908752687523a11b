import type { LargeHadronOptions } from '../../../lib';

export type Flavor = 'mysql' | 'mariadb';

/** Where a migration on the server is told of changes by, unless a test says otherwise. */
export type Mode = NonNullable<LargeHadronOptions['mode']>;

export interface ServerOptions {
  /**
   * What the helpers that migrate on this server use. Default `triggers`. `binlog` needs `log_bin`, and `binlog_format`
   * ROW for every connection: our own servers of both flavors are started so, a server given by URL has to be.
   */
  readonly mode?: Mode;
  /** More server options such as `--wait-timeout=5`. They come after ours, and the last one wins. */
  readonly args?: readonly string[];
  /** Called with what takes time (downloads, unpacking, initialising). Nothing is printed without it. */
  readonly log?: (line: string) => void;
}

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface RunningServer {
  readonly flavor: Flavor;
  /** The mode that `startServer` was told. */
  readonly mode?: Mode;
  /** What `SELECT VERSION()` says. */
  readonly version: string;
  /** Where it came from, for people: `LHM_MYSQL_URL`, `/usr/sbin/mariadbd`, `docker run mysql:9`, … */
  readonly source: string;
  /** An account with all privileges. */
  readonly connection: Connection;
  /** False for a server given by URL: we did not start it, so we do not stop it. */
  readonly owned: boolean;
  /** The server process, while there is one of ours on this machine. */
  readonly pid?: number | undefined;
  /** The temporary folder with its data and error log, if it is on this machine. `stop` removes it. */
  readonly folder?: string | undefined;
  /** Shuts down cleanly and starts again with the same data on the same port; resolves when it answers. */
  restart(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** After `kill`: same data, same port; resolves when it answers. */
  start(): Promise<void>;
  /** Ends the server and removes its data. May be called again. */
  stop(): Promise<void>;
}

export interface ReplicatedPair {
  readonly primary: RunningServer;
  readonly replica: RunningServer;
  /**
   * Resolves when the replica has applied all that the primary had at the call. Rejects with the replica's own
   * error when its threads have stopped, or after `timeoutMs` (30 s).
   */
  caughtUp(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export interface PairOptions {
  /** See {@link ServerOptions.mode}. */
  readonly mode?: Mode;
  /** Options for both servers. */
  readonly args?: readonly string[];
  /** Options for the replica only. */
  readonly replicaArgs?: readonly string[];
  readonly log?: (line: string) => void;
}

/** A server program on this machine, ready to be given a datadir. */
export interface Installation {
  readonly flavor: Flavor;
  readonly version: string;
  readonly source: string;
  /** The program and what must come before all options (for unpacked packages: their own loader). */
  readonly command: readonly [string, ...string[]];
  /** Options that name the folders of this installation. */
  readonly args: readonly string[];
  /** MariaDB: the folder with the SQL files that make a new datadir. */
  readonly sqlFolder?: string | undefined;
}
