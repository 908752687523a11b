import type { Session } from '../database/session';
import { clock } from '../util/clock';

/** By how much the same start may seem to be another one, in s. */
export const ROUNDING_S = 1;

/** How long is waited for a server that has only just been started, in ms. */
const EVERY_MS = 100;
const MOST_WAITS = 30;

/** In s, by the server's clock: of one statement, in which the clock stands still. */
export async function lifeOf(session: Session): Promise<{ start: number; uptime: number }> {
  const [row] = await session.query<{ now: number | string; uptime: string }>(
    'SELECT UNIX_TIMESTAMP() AS now, VARIABLE_VALUE AS uptime' +
      ' FROM /*!80000 performance_schema.global_status *//*M! information_schema.GLOBAL_STATUS */' +
      " WHERE VARIABLE_NAME = 'Uptime'",
  );
  const uptime = Number(row?.uptime);
  return { start: Number(row?.now) - uptime, uptime };
}

/** The same of one that runs for so long already that its next start can be told apart. */
export async function lifeOfOlder(session: Session): Promise<{ start: number; uptime: number }> {
  let life = await lifeOf(session);
  for (let waits = 0; life.uptime <= ROUNDING_S && waits < MOST_WAITS; waits++) {
    await clock.sleep(EVERY_MS);
    life = await lifeOf(session);
  }
  return life;
}

/** After how many commits it writes its log through; 0 for never. */
export async function syncBinlog(session: Session): Promise<number> {
  const [row] = await session.query<{ every: number | string }>('SELECT @@GLOBAL.sync_binlog AS every');
  return Number(row?.every);
}

/** @param start @param other as `lifeOf` tells them */
export function sameStart(start: number, other: number): boolean {
  return Math.abs(start - other) <= ROUNDING_S;
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
    const { start } = await lifeOfOlder(session);
    const every = await syncBinlog(session);
    const before = this.seen.get(identity);
    if (before !== undefined && before.every !== 1)
      return sameStart(start, before.start) ? null : before.every;
    this.seen.set(identity, { start, every });
    return null;
  }

  /** The least safe that it was counts: it can be switched off and on again. Of one that was started anew `lossOf` tells. */
  async watch(session: Session, identity: string): Promise<void> {
    const before = this.seen.get(identity);
    if (before?.every !== 1) return;
    const { start } = await lifeOf(session);
    if (!sameStart(start, before.start)) return;
    const every = await syncBinlog(session);
    if (every !== 1) this.seen.set(identity, { start: before.start, every });
  }
}
