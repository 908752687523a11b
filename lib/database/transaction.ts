import type { Session } from './session';

/**
 * Runs `work` as one transaction on a session whose autocommit is off.
 *
 * There is no START TRANSACTION on purpose: it would silently release LOCK TABLES, which the cut-over holds while
 * it applies the last changes. COMMIT keeps the locks.
 */
export async function transaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // A lost connection has rolled back already; the first error is the one that counts.
    if (!session.lost) await session.execute('ROLLBACK').catch(() => undefined);
    throw error;
  }
  await session.execute('COMMIT');
  return result;
}
