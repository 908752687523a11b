import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { replicaStatus } from './replica-status';

/** The statement that has a replica get and apply changes again, from all of its sources. */
export function startStatement({ flavor }: ServerCapabilities): string {
  return flavor === 'mariadb' ? 'START ALL SLAVES' : 'START REPLICA';
}

function stopStatement({ flavor }: ServerCapabilities): string {
  return flavor === 'mariadb' ? 'STOP ALL SLAVES' : 'STOP REPLICA';
}

/** Whether the replica gets or applies changes. */
export async function isReplicating(session: Session, server: ServerCapabilities): Promise<boolean> {
  return (await replicaStatus(session, server)).some(({ applying, fetching }) => applying || fetching);
}

/** Resolves once nothing is applied any more. */
export async function stopReplication(session: Session, server: ServerCapabilities): Promise<void> {
  await session.execute(stopStatement(server));
}

export async function startReplication(session: Session, server: ServerCapabilities): Promise<void> {
  await session.execute(startStatement(server));
}
