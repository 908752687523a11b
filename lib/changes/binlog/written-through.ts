import type { ServerStart } from '../../binlog/binlog-events';
import type { Session } from '../../database/session';
import { lifeOf, lifeOfOlder, sameStart, syncBinlog } from '../../replication/server-starts';
import { crashed, crashedUnseen } from './binlog-refusals';

/** A server from a start to the next. */
interface Life {
  readonly start: number;
  /** The least safe `sync_binlog` that was seen. */
  every: number;
}

/**
 * Whether a server writes its log through with every commit (`sync_binlog`), so that a crash takes nothing of it. That can be
 * switched off at any time, and is what it was configured to be after a restart; so it is remembered for each start.
 */
export class WrittenThrough {
  private readonly lives: Life[] = [];
  /** The files that were begun with a start that was read of. */
  private readonly starts = new Set<string>();

  /** On the server whose log is read, before that is begun. */
  async remember(session: Session): Promise<void> {
    await this.takeIn(session, await lifeOfOlder(session));
  }

  /** The same server's, from then on. */
  async look(session: Session): Promise<void> {
    await this.takeIn(session, await lifeOf(session));
  }

  /**
   * After it was read in the log that the server was started anew. Rows that a crash took out of the log were never read, and
   * nobody knows their keys.
   *
   * @param session of the server that runs now
   * @throws Refusal LHM_CONNECTION_LOST where the log may not have come through whole
   */
  async passStart(session: Session, { file, crashed: isCrash }: ServerStart): Promise<void> {
    // What is read from farther back comes again.
    this.starts.add(file);
    await this.look(session);
    if (!isCrash) return;
    const over = this.lives.slice(0, -1);
    const unsafe = over.find(({ every }) => every !== 1);
    if (unsafe !== undefined) throw crashed(unsafe.every);
    // What it is now may have been switched since it was started, so it says nothing of the life that nobody has looked at.
    if (this.starts.size > over.length) throw crashedUnseen();
  }

  private async takeIn(session: Session, { start }: Pick<Life, 'start'>): Promise<void> {
    const every = await syncBinlog(session);
    const last = this.lives.at(-1);
    if (last === undefined || !sameStart(last.start, start)) this.lives.push({ start, every });
    // What was written while it was off stays unsafe for longer than anybody can tell.
    else if (last.every === 1) last.every = every;
  }
}
