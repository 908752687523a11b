import type { ServerCapabilities } from '../../database/server-capabilities';
import { isInterruption } from '../../database/server-error';
import type { Session } from '../../database/session';
import { clock } from '../../util/clock';
import type { CapturedKey, CapturedKeys, Held } from './captured-keys';
import { preparedNow } from './prepared-before';

/** Whether what somebody has done to rows with these keys can be seen. */
export type IsSeen = (session: Session, keys: readonly CapturedKey[]) => boolean | Promise<boolean>;

const NOBODY: ReadonlySet<string> = new Set();

/** How long the log is not read on for the sake of one that is not over yet, in ms, and how often it is asked. */
const WITHIN_MS = 1000;
const EVERY_MS = 5;

/**
 * Waits until transactions whose COMMIT was read are over, where they are seen in no order with others. MariaDB writes an XA
 * COMMIT, and that of a transaction which had to do with an Aria table as well, into its log first, and then commits: an entry
 * written at once might be applied before the change can be seen. MySQL keeps the log's order.
 *
 * One that takes longer, or whose name is in use again, stays in doubt until the next time.
 *
 * @param session one of the migrated server's, with autocommit
 * @param isSeen asked for the first and the last row of each that has no name, since all of its locks go at once; for all of
 *   them where a savepoint was gone back to, because a row that was inserted behind it is free at once
 */
export async function untilCommitted(
  keys: CapturedKeys,
  session: Session | null,
  { flavor }: ServerCapabilities,
  isSeen: IsSeen,
): Promise<void> {
  if (endingOnes(keys).length === 0) return;
  if (flavor === 'mysql' || session === null) {
    keys.settle(NOBODY);
    for (const held of keys.endingOnes().others) keys.isSeen(held);
    return;
  }
  const until = clock.monotonic() + WITHIN_MS;
  for (;;) {
    await look(keys, session, isSeen);
    const left = endingOnes(keys).filter(({ waited }) => !waited);
    if (left.length === 0) return;
    if (clock.monotonic() >= until) {
      for (const held of left) held.waited = true;
      return;
    }
    await clock.sleep(EVERY_MS);
  }
}

function endingOnes(keys: CapturedKeys): Held[] {
  const { xa, others } = keys.endingOnes();
  return [...xa, ...others];
}

async function look(keys: CapturedKeys, session: Session, isSeen: IsSeen): Promise<void> {
  const { xa, others } = keys.endingOnes();
  try {
    if (xa.length > 0) keys.settle(await preparedNow(session));
    for (const held of others) if (await isSeen(session, held.ends)) keys.isSeen(held);
  } catch (error) {
    // For the sake of a statement that was to give way.
    if (session.lost || !isInterruption(error)) throw error;
  }
}
