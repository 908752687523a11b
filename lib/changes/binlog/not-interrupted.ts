import { isConnectionLoss, isInterruption } from '../../database/server-error';

/** How often it may be interrupted. */
const MOST = 10;

/** Does it again after a KILL QUERY, which is meant for a statement that waits for tables of ours. */
export async function notInterrupted<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (isConnectionLoss(error) || !isInterruption(error) || attempt >= MOST) throw error;
    }
  }
}
