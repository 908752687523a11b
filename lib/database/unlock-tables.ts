import type { Session } from './session';

const ATTEMPTS = 3;

/**
 * Lets go of what LOCK TABLES holds, even where the statement is killed (KILL QUERY): the session goes on living, and with
 * it the lock that keeps the application waiting. One that does not let go of it is ended, which does.
 *
 * @throws the server's error of the last attempt; a session that is lost has no locks, and is none
 */
export async function unlockTables(session: Session): Promise<void> {
  for (let attempt = 1; !session.lost; attempt++) {
    try {
      await session.execute('UNLOCK TABLES');
      return;
    } catch (error) {
      if (attempt < ATTEMPTS) continue;
      await session.close();
      throw error;
    }
  }
}
