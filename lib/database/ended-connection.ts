import { clock } from '../util/clock';
import { processStates } from './process-list';
import type { Session } from './session';

/** A connection that was lost on our side. On the server's its last statement may still be running. */
export type LostConnection = Pick<Session, 'id' | 'openedAt'>;

/**
 * Waits until a lost connection has ended on the server as well, so that what is looked at next stays as it is. One that
 * only the network has forgotten is killed.
 */
export async function endConnection(session: Session, { id, openedAt }: LostConnection): Promise<boolean> {
  // Ids begin anew with the server: the number may be anybody's by now.
  if (await restartedSince(session, openedAt)) return true;
  if (await waitUntilGone(session, id, 3)) return true;
  await session.execute(`KILL ${id}`).catch(() => undefined);
  return waitUntilGone(session, id, 100);
}

async function waitUntilGone(session: Session, connection: number, attempts: number): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (!(await processStates(session)).has(connection)) return true;
    await clock.sleep(100);
  }
  return false;
}

/** `Uptime` is in whole seconds, rounded down. */
async function restartedSince(session: Session, at: number): Promise<boolean> {
  const [row] = await session.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Uptime'");
  return Number(row?.Value) < Math.floor((clock.monotonic() - at) / 1000);
}
