import type { ServerCapabilities } from '../../database/server-capabilities';
import type { Session } from '../../database/session';
import { Refusal } from '../../errors';

/**
 * Only where commits become visible in the log's order does an entry of the journal stand for a change that is visible. MySQL
 * lets that be switched off at any time.
 *
 * @throws Refusal LHM_BINLOG_ORDER
 */
export async function refuseUnordered(session: Session, { flavor }: ServerCapabilities): Promise<void> {
  if (flavor !== 'mysql') return;
  const [row] = await session.query<{ ordered: number | string }>(
    'SELECT @@GLOBAL.binlog_order_commits AS ordered',
  );
  if (Number(row?.ordered) === 1) return;
  throw new Refusal(
    'LHM_BINLOG_ORDER',
    'binlog_order_commits was switched OFF while the binary log was read: changes may become visible in another order than that of the log.',
    "Nothing was swapped. SET GLOBAL binlog_order_commits = ON, and run again; or use mode: 'triggers'.",
  );
}
