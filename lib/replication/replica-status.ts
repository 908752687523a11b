import type { ServerCapabilities } from '../database/server-capabilities';
import { errorNumber } from '../database/server-error';
import type { Session } from '../database/session';
import type { ReplicaFilters } from './replica-filters';

/** What a replica says of one source that it follows. */
export interface ReplicaStatus {
  /** Whether the thread that applies changes runs. */
  readonly applying: boolean;
  /** Whether the thread that fetches changes runs and has its source. */
  readonly connected: boolean;
  /** Whether the thread that fetches changes runs, with or without its source. */
  readonly fetching: boolean;
  /** Why it stopped, as the server says it; empty when somebody stopped it. */
  readonly error: string;
  /** How far it says that it is behind, in ms: whole seconds. Null when it does not know. */
  readonly lagMs: number | null;
  /** How far it is told to stay behind, in ms. */
  readonly delayMs: number;
  /** Where it fetches changes. */
  readonly source: {
    readonly host: string;
    readonly port: number;
    readonly serverId: number;
    /** Null on MariaDB, and before it was connected. */
    readonly uuid: string | null;
  };
  /** MariaDB: whether changes of several domains (`gtid_domain_id`) may be applied in another order. */
  readonly domainsApart: boolean;
  readonly filters: ReplicaFilters;
}

const SYNTAX_ERROR = 1064;

type StatusRow = Readonly<Record<string, string | number | null | undefined>>;

/** One entry for each source (channel); none when the server is no replica. Takes REPLICATION CLIENT or its like. */
export async function replicaStatus(
  session: Pick<Session, 'query'>,
  server: ServerCapabilities,
): Promise<ReplicaStatus[]> {
  const rows = await statusRows(session, server);
  return rows.map(readStatus);
}

function readStatus(row: StatusRow): ReplicaStatus {
  const text = (...names: readonly string[]): string =>
    String(names.map((name) => row[name]).find((value) => value != null) ?? '');
  const list = (name: string): string[] =>
    text(name)
      .split(',')
      .filter((one) => one !== '');
  return {
    applying: text('Replica_SQL_Running', 'Slave_SQL_Running') === 'Yes',
    connected: text('Replica_IO_Running', 'Slave_IO_Running') === 'Yes',
    fetching: !['', 'No'].includes(text('Replica_IO_Running', 'Slave_IO_Running')),
    error: Number(row['Last_SQL_Errno']) === 0 ? '' : `${row['Last_SQL_Errno']}: ${row['Last_SQL_Error']}`,
    lagMs: lagOf(text('Seconds_Behind_Source', 'Seconds_Behind_Master')),
    delayMs: 1000 * Number(row['SQL_Delay'] ?? 0),
    source: {
      host: text('Source_Host', 'Master_Host'),
      port: Number(text('Source_Port', 'Master_Port')),
      serverId: Number(text('Source_Server_Id', 'Master_Server_Id')),
      uuid: text('Source_UUID', 'Master_UUID') || null,
    },
    domainsApart:
      !['', 'No'].includes(text('Using_Gtid')) && !['none', 'minimal'].includes(text('Parallel_Mode')),
    filters: {
      doDb: list('Replicate_Do_DB'),
      ignoreDb: list('Replicate_Ignore_DB'),
      doTable: list('Replicate_Do_Table'),
      ignoreTable: list('Replicate_Ignore_Table'),
      wildDoTable: list('Replicate_Wild_Do_Table'),
      wildIgnoreTable: list('Replicate_Wild_Ignore_Table'),
      // Whole servers and domains, and databases under other names.
      others: [
        ...['Replicate_Ignore_Server_Ids', 'Replicate_Do_Domain_Ids', 'Replicate_Ignore_Domain_Ids'],
        'Replicate_Rewrite_DB',
      ].filter((name) => list(name).length > 0),
    },
  };
}

function lagOf(seconds: string): number | null {
  return seconds === '' ? null : Number(seconds) * 1000;
}

async function statusRows(
  session: Pick<Session, 'query'>,
  { flavor }: ServerCapabilities,
): Promise<StatusRow[]> {
  if (flavor === 'mariadb') return session.query('SHOW ALL SLAVES STATUS');
  try {
    return await session.query('SHOW REPLICA STATUS');
  } catch (error) {
    // MySQL before 8.0.22.
    if (errorNumber(error) === SYNTAX_ERROR) return session.query('SHOW SLAVE STATUS');
    throw error;
  }
}
