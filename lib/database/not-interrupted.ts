import { isConnectionLoss, isInterruption } from './server-error';

/** How often it may be interrupted. */
const MOST = 10;

/** Does again after a KILL QUERY what must not be left out; ours is meant for a statement that waits for the tables. */
export async function notInterrupted<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (isConnectionLoss(error) || !isInterruption(error) || attempt >= MOST) throw error;
    }
  }
}
