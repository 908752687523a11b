import { notInterrupted } from './not-interrupted';
import type { Session } from './session';
import { IDLE_SECONDS } from './session-settings';

/** How long whoever has tables locked may say nothing, in s, beyond what it may wait for meanwhile. */
const SILENT_SECONDS = 15;

/**
 * Where nothing is heard of us any more (a firewall has forgotten the connection, the machine is gone or stands still), the
 * server notices by TCP after a quarter of an hour or by keep-alive after two hours, and until then nobody could use a table
 * that the session has locked. So it ends the session sooner, as gh-ost has it done.
 *
 * @param waitsMs how long another session may be waited for meanwhile, in which this one is asked nothing
 */
export async function endedWhenSilent<T>(
  session: Session,
  waitsMs: number,
  locking: () => Promise<T>,
): Promise<T> {
  await session.execute(silentFor(SILENT_SECONDS + Math.ceil(waitsMs / 1000)));
  try {
    return await locking();
  } finally {
    // One that stays so may be ended while nothing is asked of it for long: then it comes back.
    if (!session.lost)
      await notInterrupted(() => session.execute(silentFor(IDLE_SECONDS))).catch(() => undefined);
  }
}

function silentFor(seconds: number): string {
  return `SET SESSION wait_timeout = ${seconds}`;
}
