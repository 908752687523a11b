import { WHO_ANSWERS } from '../database/one-server';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { replicaStatus, type ReplicaStatus } from './replica-status';

/** What one server of a replication says of itself. */
export interface LinkFacts {
  readonly server: ServerCapabilities;
  /** `host:port`, as it calls itself. */
  readonly name: string;
  /** The same only where it is the same server. */
  readonly identity: string;
  /** Of those below, in lower case; absent ones are ones that it does not have. */
  readonly variables: ReadonlyMap<string, string>;
  /** Threads that apply changes, as far as they can be counted: settings may have been changed since they were started. */
  readonly workers: number;
  /** One for each of its sources. */
  readonly status: readonly ReplicaStatus[];
  /** Of the migrated table there; null where it has none, or it is not shown. */
  readonly engine: string | null;
}

const VARIABLES = [
  ...['log_bin', 'binlog_format', 'log_slave_updates', 'log_replica_updates', 'server_id', 'server_uuid'],
  ...['slave_parallel_workers', 'replica_parallel_workers', 'slave_parallel_threads'],
  ...['slave_preserve_commit_order', 'replica_preserve_commit_order'],
  ...['slave_exec_mode', 'replica_exec_mode', 'slave_skip_errors', 'replica_skip_errors'],
  ...['replicate_events_marked_for_skip', 'read_only', 'super_read_only', 'lower_case_table_names'],
];

/** Takes REPLICATION CLIENT or its like. */
export async function readLink(
  session: Session,
  server: ServerCapabilities,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<LinkFacts> {
  const [who] = await session.query<{ server: string; name: string }>(
    `SELECT ${WHO_ANSWERS}, CONCAT(@@hostname, ':', @@port) AS name`,
  );
  const variables = await session.query<{ Variable_name: string; Value: string }>(
    'SHOW GLOBAL VARIABLES WHERE Variable_name IN (?)',
    [VARIABLES],
  );
  const [found] = await session.query<{ engine: string | null }>(
    'SELECT ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [schema, table],
  );
  return {
    server,
    name: who?.name ?? '',
    identity: who?.server ?? '',
    variables: new Map(variables.map((row) => [row.Variable_name.toLowerCase(), row.Value])),
    workers: await countWorkers(session, server),
    status: await replicaStatus(session, server),
    engine: found?.engine ?? null,
  };
}

async function countWorkers(session: Session, { flavor }: ServerCapabilities): Promise<number> {
  if (flavor === 'mariadb') return 0;
  try {
    const [row] = await session.query<{ workers: number | string }>(
      'SELECT COUNT(*) AS workers FROM performance_schema.replication_applier_status_by_worker',
    );
    return Number(row?.workers ?? 0);
  } catch (error) {
    // The account may not read it, or it is switched off.
    if (session.lost) throw error;
    return 0;
  }
}
