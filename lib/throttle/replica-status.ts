import type { ServerCapabilities } from '../database/server-capabilities';
import { errorNumber } from '../database/server-error';
import type { Session } from '../database/session';

/** What a replica says of one source that it follows. */
export interface ReplicaStatus {
  /** Whether the thread that applies changes runs. */
  readonly applying: boolean;
  /** Why it stopped, as the server says it; empty when somebody stopped it. */
  readonly error: string;
  /** How far it says that it is behind, in ms: whole seconds. Null when it does not know. */
  readonly lagMs: number | null;
}

const SYNTAX_ERROR = 1064;

/** One entry for each source (channel); none when the server is no replica. Takes REPLICATION CLIENT or its like. */
export async function replicaStatus(
  session: Pick<Session, 'query'>,
  server: ServerCapabilities,
): Promise<ReplicaStatus[]> {
  const rows = await statusRows(session, server);
  return rows.map((row) => ({
    applying: (row['Replica_SQL_Running'] ?? row['Slave_SQL_Running']) === 'Yes',
    error: Number(row['Last_SQL_Errno']) === 0 ? '' : `${row['Last_SQL_Errno']}: ${row['Last_SQL_Error']}`,
    lagMs: lagOf(row['Seconds_Behind_Source'] ?? row['Seconds_Behind_Master'] ?? null),
  }));
}

function lagOf(seconds: string | null): number | null {
  return seconds === null ? null : Number(seconds) * 1000;
}

async function statusRows(
  session: Pick<Session, 'query'>,
  { flavor }: ServerCapabilities,
): Promise<Record<string, string | null>[]> {
  if (flavor === 'mariadb') return session.query('SHOW ALL SLAVES STATUS');
  try {
    return await session.query('SHOW REPLICA STATUS');
  } catch (error) {
    // MySQL before 8.0.22.
    if (errorNumber(error) === SYNTAX_ERROR) return session.query('SHOW SLAVE STATUS');
    throw error;
  }
}
