import { LET_IT_GO_FIRST, writersMayGoFirst } from '../database/lock-turns';
import type { Session } from '../database/session';
import { Postponed } from './postponed';

/** @throws Postponed when writers may go before a RENAME that waits: the value may be set at any time */
export async function refuseWritersFirst(session: Session): Promise<void> {
  const [row] = await session.query<{ most: number | string }>(
    'SELECT @@GLOBAL.max_write_lock_count AS most',
  );
  const reason = writersMayGoFirst(row?.most);
  if (reason !== null) throw new Postponed(reason, { wayOut: LET_IT_GO_FIRST });
}
