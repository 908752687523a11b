import type { Session } from '../database/session';

/** How far apart the two answers may be that a server's start is made of, in s. */
export const ROUNDING_S = 2;

/** In s, by the server's clock. */
export async function lifeOf(session: Session): Promise<{ start: number; uptime: number }> {
  const [status] = await session.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Uptime'");
  const [clock] = await session.query<{ now: number | string }>('SELECT UNIX_TIMESTAMP() AS now');
  const uptime = Number(status?.Value);
  return { start: Number(clock?.now) - uptime, uptime };
}

/**
 * Which servers were started anew since they were looked at first. One whose log is not written through with every commit
 * (`sync_binlog`) may have lost the end of it in a crash: what stood there, and had not been sent on, comes to no replica
 * any more, and transactions that it commits afterwards may bear ids that replicas know already, and pass over.
 */
export class ServerStarts {
  private readonly seen = new Map<string, { readonly start: number; readonly every: number }>();

  /**
   * @param identity the same only where it is the same server
   * @returns its `sync_binlog` when the end of its log may have been lost; null when not
   */
  async lossOf(session: Session, identity: string): Promise<number | null> {
    const { start } = await lifeOf(session);
    const [row] = await session.query<{ every: number | string }>('SELECT @@GLOBAL.sync_binlog AS every');
    const before = this.seen.get(identity);
    if (before !== undefined && start - before.start > ROUNDING_S && before.every !== 1) return before.every;
    this.seen.set(identity, { start, every: Number(row?.every) });
    return null;
  }
}
