/**
 * Requests for a whole table are served before those of readers and writers, but no more than max_write_lock_count of them in
 * a row. Then writers go first, also between the release of the lock and a RENAME that waits, and what they write stays in the
 * old table. There are never more in a row than there can be connections.
 */
const ENOUGH_IN_A_ROW = 100_000;

export const LET_IT_GO_FIRST = 'SET GLOBAL max_write_lock_count = DEFAULT';

/** Why a RENAME that waits may be served after writers; null when it may not. @param most the value of max_write_lock_count */
export function writersMayGoFirst(most: number | string | undefined): string | null {
  if (most === undefined || Number(most) >= ENOUGH_IN_A_ROW) return null;
  return `max_write_lock_count is ${most}: writers may go before a RENAME that waits for the table`;
}
