export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ';

/** What holds the table together: which key a migration has to walk along. */
export type KeyKind = 'id' | 'composite' | 'unique-varchar';

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface WorkloadOptions {
  readonly connection: Connection;
  readonly database: string;
  readonly table: string;
  readonly seed: number;
  /** Default 6. */
  readonly writers?: number;
  /** `'mixed'` (default): every other writer uses the other level. */
  readonly isolation?: Isolation | 'mixed';
  /** Rows that the table begins with. */
  readonly rows: number;
  /** `'id'` (default): BIGINT AUTO_INCREMENT. */
  readonly key?: KeyKind;
  /** Clients that check every acknowledged write at once, with a fresh view. Default true. */
  readonly readers?: boolean;
  /** Clients with an old view: they read the pair table, wait, and read the table itself. Default 2. */
  readonly pairedReaders?: number;
  /** The longest that a paired reader waits between the two, in ms. Default 2000. */
  readonly holdMs?: number;
  /** Clients that dump the whole table in one snapshot, one after the other. Default true. */
  readonly dumps?: boolean;
  /** How many of them. Default 2. */
  readonly dumpClients?: number;
  /** About how long one dump keeps its snapshot, in ms. Default 3000. */
  readonly dumpMs?: number;
  /**
   * The longest that a dump or a paired reader rests between two views, in ms. Default null: a quarter of `dumpMs` and
   * `holdMs`, so that some view is nearly always open.
   */
  readonly restMs?: number | null;
  /** Mean pause of a writer between two transactions, in ms; 0 (default) is as fast as it can. */
  readonly pace?: number;
  /** A client that touches one row every 5 ms and writes down how long it took: the stall meter. Default false. */
  readonly probe?: boolean;
  /**
   * `'expected'`: the run kills connections or servers on purpose, and a lost one is counted, but is not a finding.
   * Default `'unexpected'`.
   */
  readonly lostConnections?: 'expected' | 'unexpected';
  /**
   * `'expected'`: nothing bears the table's name for a moment, and error 1146 is counted, but is not a finding. Default
   * `'unexpected'`.
   */
  readonly missingTable?: 'expected' | 'unexpected';
  /**
   * `'expected'`: the server is shut down meanwhile, and interrupts statements (error 1317) before it ends their
   * connections. Default `'unexpected'`.
   */
  readonly shutdowns?: 'expected' | 'unexpected';
  /** How long `stop()` waits for the clients to finish. Default 60 000. */
  readonly stopTimeoutMs?: number;
}

export type ResolvedOptions = Required<WorkloadOptions>;

/** What `prepareLedgerTable` needs of it. */
export type PrepareOptions = Pick<WorkloadOptions, 'connection' | 'database' | 'table' | 'rows' | 'key'>;

export function resolveOptions(options: WorkloadOptions): ResolvedOptions {
  return {
    writers: 6,
    isolation: 'mixed',
    key: 'id',
    readers: true,
    pairedReaders: 2,
    holdMs: 2000,
    dumps: true,
    dumpClients: 2,
    dumpMs: 3000,
    restMs: null,
    pace: 0,
    probe: false,
    lostConnections: 'unexpected',
    missingTable: 'unexpected',
    shutdowns: 'unexpected',
    stopTimeoutMs: 60_000,
    ...options,
  };
}
