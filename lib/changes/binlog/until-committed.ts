import type { ServerCapabilities } from '../../database/server-capabilities';
import { isInterruption } from '../../database/server-error';
import type { Session } from '../../database/session';
import { clock } from '../../util/clock';
import type { CapturedKeys } from './captured-keys';
import { preparedNow } from './prepared-before';

const NOBODY: ReadonlySet<string> = new Set();

/** How long the log is not read on for the sake of one that is not over yet, in ms, and how often it is asked. */
const WITHIN_MS = 1000;
const EVERY_MS = 5;

/**
 * Waits until XA transactions whose COMMIT was read are over. MariaDB writes the COMMIT into its log first, and then commits, in
 * no order with others: an entry written at once might be applied before the change can be seen. MySQL keeps the log's order.
 *
 * One that takes longer, or whose name is in use again, stays in doubt until the next time.
 *
 * @param session one of the migrated server's, with autocommit
 */
export async function untilCommitted(
  keys: CapturedKeys,
  session: Session | null,
  { flavor }: ServerCapabilities,
): Promise<void> {
  if (!keys.isEnding) return;
  if (flavor === 'mysql' || session === null) {
    keys.settle(NOBODY);
    return;
  }
  const until = clock.monotonic() + WITHIN_MS;
  while (await isStillEnding(keys, session)) {
    if (clock.monotonic() >= until) return;
    await clock.sleep(EVERY_MS);
  }
}

async function isStillEnding(keys: CapturedKeys, session: Session): Promise<boolean> {
  try {
    keys.settle(await preparedNow(session));
  } catch (error) {
    // For the sake of a statement that was to give way.
    if (session.lost || !isInterruption(error)) throw error;
  }
  return keys.isEnding;
}
