import { debugLog } from '../events/debug-log';
import { isDeadlock, isLockTimeout } from './server-error';
import type { Session } from './session';
import { backoff } from '../util/backoff';
import { clock } from '../util/clock';
import { pause } from '../util/pause';

const log = debugLog('database');

export interface BoundedLock {
  /** How long one attempt may wait, in whole seconds. A waiting request stalls every new query on the table. */
  readonly waitSeconds: number;
  readonly attempts: number;
  /** No further attempt is made after so many ms, whatever `attempts` says. */
  readonly giveUpAfterMs: number;
  /** Pause between two attempts, in ms; rejects when the migration is stopped. */
  pause(attempt: number): Promise<void>;
}

/**
 * Takes a metadata lock on a live table, never waiting long: the request is withdrawn after `waitSeconds` and made
 * again after a pause in which the application runs on. Every such lock of the library is taken here.
 *
 * @throws the server's lock wait error when every attempt timed out
 */
export async function withBoundedLock<T>(
  session: Session,
  bound: BoundedLock,
  take: () => Promise<T>,
): Promise<T> {
  await session.execute(`SET SESSION lock_wait_timeout = ${bound.waitSeconds}`);
  const started = clock.monotonic();
  for (let attempt = 1; ; attempt++) {
    try {
      return await take();
    } catch (error) {
      if (!(isLockTimeout(error) || isDeadlock(error)) || attempt >= bound.attempts) throw error;
      if (clock.monotonic() - started >= bound.giveUpAfterMs) throw error;
      log(
        '%s: lock not granted in %d s, attempt %d of %d',
        session.role,
        bound.waitSeconds,
        attempt,
        bound.attempts,
      );
      await bound.pause(attempt);
    }
  }
}

/** Attempts at each metadata lock on a live table; with the pauses between them, some minutes. */
const ATTEMPTS = 60;

/** How every lock on a live table is asked for: for a second at a time. `signal` ends the attempts. */
export function liveLock(
  giveUpAfterMs: number,
  signal: AbortSignal = new AbortController().signal,
): BoundedLock {
  return {
    waitSeconds: 1,
    attempts: ATTEMPTS,
    giveUpAfterMs,
    pause: (attempt) => pause(backoff(attempt, 100, 5000), signal),
  };
}
