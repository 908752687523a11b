import type { BinlogPosition } from '../../binlog/binlog-position';
import type { Session } from '../../database/session';
import type { ChangelogTable } from './changelog-table';
import { lifeOf, ROUNDING_S, sameStart } from '../../replication/server-starts';

/**
 * Where reading goes on after a loss. What was committed to the journal stays there for as long as the server lives, so it
 * need not be read again; and after the swap it must not be, or old changes would look like such that came too late. After a
 * restart the server's own word counts, since a crash may have undone commits (innodb_flush_log_at_trx_commit).
 */
export class ResumePoint {
  private written: BinlogPosition | null = null;
  private serverStart: number | null = null;
  private readings = 0;
  private caughtUpIn = 0;
  private fellBackIn = 0;

  /** How often reading has gone on after a loss. */
  get reading(): number {
    return this.readings;
  }

  /** Whether it went on and has not come as far as it was. */
  get goesOver(): boolean {
    return this.caughtUpIn < this.readings;
  }

  /** Whether it went on from so far back that what is told now may have been told before. */
  get behind(): boolean {
    return this.caughtUpIn < this.fellBackIn;
  }

  /** A mark has come that was written in this reading. */
  caughtUp(reading: number): void {
    this.caughtUpIn = Math.max(this.caughtUpIn, reading);
  }

  /** On the server that is read. */
  async remember(session: Session): Promise<void> {
    const { start, uptime } = await lifeOf(session);
    // Of one that has only just been started its next start could not be told apart.
    if (uptime > 2 * ROUNDING_S) this.serverStart = start;
  }

  /** Everything before it is in the journal. */
  moveTo(position: BinlogPosition): void {
    this.written = position;
  }

  /**
   * @param started where it began
   * @param swapped whether the swap was read: from farther back than what was dealt with, old changes would look late
   * @returns null when there is no such place
   */
  async place(
    session: Session,
    changelog: ChangelogTable,
    started: BinlogPosition,
    swapped: boolean,
  ): Promise<BinlogPosition | null> {
    this.readings += 1;
    const reached = await this.after(session);
    if (reached === null && !swapped) this.fellBackIn = this.readings;
    return reached !== null || swapped ? reached : ((await changelog.position(session)) ?? started);
  }

  /** @returns null when only the server can know */
  private async after(session: Session): Promise<BinlogPosition | null> {
    if (this.serverStart === null || this.written === null) return null;
    const { start } = await lifeOf(session);
    return sameStart(start, this.serverStart) ? this.written : null;
  }
}
