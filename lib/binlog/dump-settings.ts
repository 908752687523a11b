import { randomInt } from 'node:crypto';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { isConnectionLoss } from '../database/server-error';
import { binlogOff, unreadable } from './binlog-errors';

/** Seconds that the server waits for a reader that does not take what it is sent: its work comes first, and may be long. */
const WRITE_TIMEOUT_S = 86_400;

/** MariaDB: the reader knows MariaDB's own events, so that nothing is left out or put in other words. */
const MARIADB_CAPABILITY = 4;

/** Tells the server how its log is to be sent. */
export async function prepareDump(
  session: Session,
  server: ServerCapabilities,
  heartbeatMs: number,
): Promise<void> {
  const [facts] = await session.query<{ logs: number | string; id: number | string }>(
    'SELECT @@GLOBAL.log_bin AS logs, @@GLOBAL.server_id AS id',
  );
  if (Number(facts?.logs) !== 1) throw binlogOff();
  if (Number(facts?.id) === 0)
    throw unreadable('the server has server_id = 0, with which it sends its log to nobody.');
  const nanoseconds = Math.round(heartbeatMs) * 1_000_000;
  await session.execute(`SET SESSION net_write_timeout = ${WRITE_TIMEOUT_S}`);
  await session.execute(
    `SET @master_heartbeat_period = ${nanoseconds}, @source_heartbeat_period = ${nanoseconds},` +
      ' @master_binlog_checksum = @@GLOBAL.binlog_checksum, @source_binlog_checksum = @@GLOBAL.binlog_checksum',
  );
  if (server.flavor === 'mariadb')
    await session.execute(`SET @mariadb_slave_capability = ${MARIADB_CAPABILITY}`);
}

const LOWEST = 2 ** 31;
const BEYOND = 2 ** 32 - 1;

/** A server_id that nobody has, as far as the server can tell: of two readers with the same one, the older is thrown out. */
export async function freeServerId(session: Session): Promise<number> {
  const taken = await takenIds(session);
  for (;;) {
    const id = randomInt(LOWEST, BEYOND);
    if (!taken.has(id)) return id;
  }
}

/** Replicas that have made themselves known. */
async function takenIds(session: Session): Promise<Set<number>> {
  const own = await session.query<Record<string, unknown>>('SELECT @@GLOBAL.server_id AS Server_id');
  for (const sql of ['SHOW REPLICAS', 'SHOW SLAVE HOSTS']) {
    try {
      const replicas = await session.query(sql);
      return new Set([...own, ...replicas].map((row) => Number(row['Server_Id'] ?? row['Server_id'])));
    } catch (error) {
      // The other name, or no privilege to see them: among two thousand million numbers one hits none of a few.
      if (isConnectionLoss(error)) throw error;
    }
  }
  return new Set(own.map((row) => Number(row['Server_id'])));
}
