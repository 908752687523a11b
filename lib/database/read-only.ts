import type { Session } from './session';

const READ_ONLY = 1290;

/** As the server itself would say it to an account that it applies to. */
export class ServerIsReadOnly extends Error {
  readonly errno = READ_ONLY;
  constructor() {
    super('the server is read-only (read_only is ON)');
  }
}

/**
 * A server that became read-only is about to hand over to another one. An account with SUPER or CONNECTION_ADMIN could
 * go on writing, but what it writes then reaches no other server, or breaks the replication from the new one.
 *
 * @throws ServerIsReadOnly
 */
export async function refuseReadOnly(session: Session): Promise<void> {
  if (await isReadOnlyServer(session)) throw new ServerIsReadOnly();
}

export async function isReadOnlyServer(session: Session): Promise<boolean> {
  const [row] = await session.query<{ on: number | string }>('SELECT @@GLOBAL.read_only AS `on`');
  return !['0', 'OFF'].includes(String(row?.on));
}
