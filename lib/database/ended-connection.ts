import { clock } from '../util/clock';
import type { Session } from './session';

/** A connection that was lost on our side. On the server's its last statement may still be running. */
export type LostConnection = Pick<Session, 'lifeLock'>;

/**
 * Waits until a lost connection has ended on the server as well, so that what is looked at next stays as it is. One that
 * only the network has forgotten is killed.
 *
 * It is known by the lock that only it has. Its number begins anew with the server, and may be anybody's by now.
 */
export async function endConnection(session: Session, { lifeLock }: LostConnection): Promise<boolean> {
  // It was lost before it did anything.
  if (lifeLock === null) return true;
  const holder = await holderAfter(session, lifeLock, 3);
  if (holder === null) return true;
  await session.execute(`KILL ${holder}`).catch(() => undefined);
  return (await holderAfter(session, lifeLock, 100)) === null;
}

/** Who has the lock still; null as soon as nobody has. The server lets go of it after everything else. */
async function holderAfter(session: Session, lock: string, attempts: number): Promise<string | null> {
  let holder: string | null = null;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const [row] = await session.query<{ holder: number | string | null }>(
      'SELECT IS_USED_LOCK(?) AS holder',
      [lock],
    );
    if (row === undefined || row.holder === null) return null;
    holder = String(row.holder);
    await clock.sleep(100);
  }
  return holder;
}
