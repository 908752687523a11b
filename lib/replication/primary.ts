import { WHO_ANSWERS } from '../database/one-server';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import type { Primary } from './source-problems';

/** What tells the server of the session from all others. */
export async function readPrimary(session: Session, { flavor }: ServerCapabilities): Promise<Primary> {
  const uuid = flavor === 'mysql' ? '@@GLOBAL.server_uuid' : 'NULL';
  const [row] = await session.query<{ server: string; serverId: number | string; uuid: string | null }>(
    `SELECT ${WHO_ANSWERS}, @@GLOBAL.server_id AS serverId, ${uuid} AS uuid`,
  );
  return {
    identity: row?.server ?? '',
    ...{ flavor, serverId: Number(row?.serverId), uuid: row?.uuid ?? null },
  };
}

/** How many domains the server has logged changes of: MariaDB may let a replica apply those in another order. */
export async function countDomains(session: Session, { flavor }: ServerCapabilities): Promise<number> {
  if (flavor === 'mysql') return 1;
  const [row] = await session.query<{ position: string | null }>(
    'SELECT @@GLOBAL.gtid_binlog_pos AS position',
  );
  const gtids = (row?.position ?? '').split(',').filter((one) => one !== '');
  return new Set(gtids.map((gtid) => gtid.split('-')[0])).size;
}
