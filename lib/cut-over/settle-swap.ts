import { errorNumber } from '../database/server-error';
import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { debugLog } from '../events/debug-log';
import { confirmSwap, type Standing, type SwappedNames } from './confirm-swap';

const log = debugLog('cut-over');

/** Looks before what is found is left as it is. */
const LOOKS = 5;

const TABLE_EXISTS = 1050;
const NO_SUCH_TABLE = 1146;

/**
 * Looks how the tables stand, and gives the original its name back where a swap in two steps broke off between them:
 * until then it was locked, and has been out of reach of the application since, so it holds every write there is.
 *
 * May be called before the connection that swapped has surely ended, and then again: whichever of its second step and
 * this comes later fails, because the name is taken. Until that connection has ended the answer is not final.
 *
 * @param bound for the lock on the name
 */
export async function settleSwap(
  session: Session,
  pair: SwappedNames,
  bound: BoundedLock,
): Promise<Exclude<Standing, 'half'>> {
  for (let look = 1; ; look++) {
    const standing = await confirmSwap(session, pair);
    if (standing !== 'half') return standing;
    if (look === LOOKS) return 'unknown';
    log('the swap was left half done; the original gets its name back');
    await giveNameBack(session, pair, bound);
  }
}

async function giveNameBack(
  session: Session,
  { schema, origin, names }: SwappedNames,
  bound: BoundedLock,
): Promise<void> {
  const sql = `RENAME TABLE ${qualified(schema, names.old)} TO ${qualified(schema, origin.table)}`;
  try {
    await withBoundedLock(session, bound, () => session.execute(sql));
  } catch (error) {
    // Somebody was faster; the next look tells what that was.
    if (![TABLE_EXISTS, NO_SUCH_TABLE].includes(errorNumber(error))) throw error;
  }
}
