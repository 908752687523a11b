import type { Database } from '../../database/database';
import { killHolder } from '../../database/ended-connection';
import { refuseReadOnly } from '../../database/read-only';
import { isInterruption, isTransient, messageOf } from '../../database/server-error';
import type { Session } from '../../database/session';
import { debugLog } from '../../events/debug-log';
import { backoff } from '../../util/backoff';
import { clock } from '../../util/clock';
import { OneByOne } from '../../util/one-by-one';
import { Repeated } from '../../util/repeated';
import type { BinlogSourceOptions } from './binlog-source-options';
import type { ChangelogTable } from './changelog-table';
import type { MarkTimes } from './mark-times';
import type { Marks } from './marks';

const log = debugLog('changes');

/** Writes marks: when one is asked for, and from time to time. */
export class MarkWriter {
  private readonly beat = new Repeated(() => this.heartbeat());
  private readonly turns = new OneByOne();

  constructor(
    readonly session: Session,
    private readonly database: Database,
    private readonly marks: Marks,
    private readonly changelog: ChangelogTable,
    private readonly times: MarkTimes,
    private readonly options: Pick<BinlogSourceOptions, 'readOnly'>,
  ) {}

  /**
   * One after the other: two that find the connection lost would each make it anew, and end the other's; and the numbers are to
   * stand in the log in their order.
   */
  write(): Promise<number> {
    return this.turns.run(() => this.writeNow());
  }

  private async writeNow(): Promise<number> {
    const { session } = this;
    for (let attempt = 1; ; attempt++) {
      try {
        if (session.lost) await this.database.reopen(session);
        // One that was written after it would be missing on the server that takes over, or stand in its replicas' way.
        await refuseReadOnly(session, this.options.readOnly);
        // A new one for each attempt: nobody knows of one that failed whether it stands in the log.
        const mark = this.marks.next();
        await this.changelog.mark(session, mark);
        this.marks.order.committed(mark);
        this.times.committed(mark);
        return mark;
      } catch (error) {
        const again = isInterruption(error) || isTransient(error);
        if (!again || attempt >= 3) throw error;
        log('the mark was not written: %s', messageOf(error));
        await clock.sleep(backoff(attempt, 20, 500));
      }
    }
  }

  /** Writes one every so many ms from now on. */
  beatEvery(ms: number): void {
    this.beat.every(ms);
  }

  private async heartbeat(): Promise<void> {
    if (this.marks.over) this.stop();
    else await this.write().catch((error: unknown) => log('no heartbeat: %s', messageOf(error)));
  }

  /** Takes back the statement that the connection with the lock is at. */
  async interrupt(lifeLock: string | null): Promise<void> {
    if (!this.session.lost && lifeLock !== null) await killHolder(this.session, lifeLock, 'KILL QUERY');
  }

  stop(): void {
    this.beat.stop();
  }
}
