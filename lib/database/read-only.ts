import type { ServerCapabilities } from './server-capabilities';
import type { Session } from './session';

const READ_ONLY = 1290;

/** The switch that keeps a migration from writing; null where the server has none that does. */
export type ReadOnlySwitch = 'read_only' | 'super_read_only' | null;

/**
 * A replica that is migrated itself is read-only to others, and stays so; on MySQL there is a switch that is for everybody.
 *
 * @param onReplica whether it is one, and meant to be
 */
export function readOnlySwitch({ flavor }: ServerCapabilities, onReplica: boolean): ReadOnlySwitch {
  if (!onReplica) return 'read_only';
  return flavor === 'mysql' ? 'super_read_only' : null;
}

/** As the server itself would say it to an account that it applies to. */
export class ServerIsReadOnly extends Error {
  readonly errno = READ_ONLY;
  constructor(name: string) {
    super(`the server is read-only (${name} is ON)`);
  }
}

/**
 * A server that became read-only is about to hand over to another one. An account with SUPER or CONNECTION_ADMIN could
 * go on writing, but what it writes then reaches no other server, or breaks the replication from the new one.
 *
 * @throws ServerIsReadOnly
 */
export async function refuseReadOnly(session: Session, name: ReadOnlySwitch): Promise<void> {
  if (name !== null && (await isReadOnlyServer(session, name))) throw new ServerIsReadOnly(name);
}

export async function isReadOnlyServer(session: Session, name: ReadOnlySwitch): Promise<boolean> {
  if (name === null) return false;
  const [row] = await session.query<{ on: number | string }>(`SELECT @@GLOBAL.${name} AS \`on\``);
  return !['0', 'OFF'].includes(String(row?.on));
}
