import type { BinlogPosition } from '../../binlog/binlog-position';
import type { Session } from '../../database/session';

/** How far apart the two answers may be that a server's start is made of, in s. */
const ROUNDING_S = 2;

/**
 * Where reading goes on after a loss. What was committed to the journal stays there for as long as the server lives, so it
 * need not be read again; and after the swap it must not be, or old changes would look like such that came too late. After a
 * restart the server's own word counts, since a crash may have undone commits (innodb_flush_log_at_trx_commit).
 */
export class ResumePoint {
  private written: BinlogPosition | null = null;
  private serverStart: number | null = null;

  /** On the server that is read. */
  async remember(session: Session): Promise<void> {
    const { start, uptime } = await life(session);
    // Of one that has only just been started its next start could not be told apart.
    if (uptime > 2 * ROUNDING_S) this.serverStart = start;
  }

  /** Everything before it is in the journal. */
  moveTo(position: BinlogPosition): void {
    this.written = position;
  }

  /** @returns null when only the server can know */
  async after(session: Session): Promise<BinlogPosition | null> {
    if (this.serverStart === null || this.written === null) return null;
    const { start } = await life(session);
    return Math.abs(start - this.serverStart) <= ROUNDING_S ? this.written : null;
  }
}

/** In s, by the server's clock. */
async function life(session: Session): Promise<{ start: number; uptime: number }> {
  const [status] = await session.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Uptime'");
  const [clock] = await session.query<{ now: number | string }>('SELECT UNIX_TIMESTAMP() AS now');
  const uptime = Number(status?.Value);
  return { start: Number(clock?.now) - uptime, uptime };
}
