import { clock } from '../util/clock';
import type { Session } from './session';

/** Its last statement may still be running, so what the server shows now may not be the end of it. */
export class ConnectionDoesNotEnd extends Error {
  override readonly name = 'ConnectionDoesNotEnd';
}

/**
 * Waits until a lost connection has ended on the server as well, so that what is looked at next stays as it is. One that
 * only the network has forgotten is killed.
 *
 * It is known by the lock that only it has. Its number begins anew with the server, and may be anybody's by now.
 *
 * @param graceLooks looks before it is killed, 100 ms apart
 * @throws ConnectionDoesNotEnd some 10 s after it was killed
 */
export async function endConnection(session: Session, lifeLock: string, graceLooks = 3): Promise<void> {
  const holder = await holderAfter(session, lifeLock, graceLooks);
  if (holder === null) return;
  await session.execute(`KILL ${holder}`).catch(() => undefined);
  const still = await holderAfter(session, lifeLock, 100);
  if (still === null) return;
  throw new ConnectionDoesNotEnd(
    `Connection ${still} of the migration was lost and then killed, and the server still has it: its last statement may be running.`,
  );
}

/**
 * Ends the statement or the connection that has the lock, if any has it still. Never rejects: what could not be ended is
 * left to whoever waits for it.
 */
export async function killHolder(
  session: Session,
  lifeLock: string,
  what: 'KILL' | 'KILL QUERY',
): Promise<void> {
  try {
    const holder = await holderOf(session, lifeLock);
    if (holder !== null) await session.execute(`${what} ${holder}`);
  } catch {
    // Gone by itself in between, or we are.
  }
}

async function holderOf(session: Session, lock: string): Promise<string | null> {
  const [row] = await session.query<{ holder: number | string | null }>('SELECT IS_USED_LOCK(?) AS holder', [
    lock,
  ]);
  return row === undefined || row.holder === null ? null : String(row.holder);
}

/** Who has the lock still; null as soon as nobody has. The server lets go of it after everything else. */
async function holderAfter(session: Session, lock: string, attempts: number): Promise<string | null> {
  let holder: string | null = null;
  for (let attempt = 0; attempt < attempts; attempt++) {
    holder = await holderOf(session, lock);
    if (holder === null) return null;
    await clock.sleep(100);
  }
  return holder;
}
