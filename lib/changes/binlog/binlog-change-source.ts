import type { BinlogEvent } from '../../binlog/binlog-events';
import { BinlogConnectionLost } from '../../binlog/binlog-errors';
import type { BinlogPosition } from '../../binlog/binlog-position';
import { BinlogStream } from '../../binlog/binlog-stream';
import type { Database } from '../../database/database';
import { notInterrupted } from '../../database/not-interrupted';
import { isConnectionLoss, messageOf } from '../../database/server-error';
import type { Session } from '../../database/session';
import { Refusal } from '../../errors';
import { debugLog } from '../../events/debug-log';
import type { RowKey } from '../../schema/key-column';
import type { TablePair } from '../../schema/table-pair';
import type { TriggerFacts } from '../../schema/table-schema';
import { backoff } from '../../util/backoff';
import { clock } from '../../util/clock';
import { Repeated } from '../../util/repeated';
import type { ChangeBatch, ChangeSource, CopiedTo } from '../change-source';
import { Journal } from '../journal/journal';
import { refuseChangedTriggers, triggersOf } from '../own-triggers';
import { CapturedKeys } from './captured-keys';
import { CHANGELOG, ChangelogTable, markIn } from './changelog-table';
import type { BinlogSourceOptions } from './binlog-source-options';
import { asError, changed, lostForGood } from './binlog-refusals';
import { FollowedOrigin } from './followed-origin';
import { KeyWriter } from './key-writer';
import { logServer, type LogServer } from './log-server';
import { MarkTimes } from './mark-times';
import { MarkWriter } from './mark-writer';
import { inTime, Marks, refuseUnwritten } from './marks';
import { PreparedBefore } from './prepared-before';
import { ResumePoint } from './resume-point';
import { rowsAreFree } from './rows-are-free';
import { unlessSilent } from './unless-silent';
import { untilCommitted, type IsSeen } from './until-committed';
import { whyEnded } from './why-ended';

const debug = debugLog('changes');
const ORIGIN = 'origin';

/** How often the server of the log is asked whether it can still be relied on, in ms; before a swap it is asked anyway. */
const LOOK_EVERY_MS = 10_000;

/** How long the first mark may take to come back, and the last, in ms. */
const [FIRST_MARK_MS, LAST_MARK_MS] = [60_000, 10_000];

/**
 * Captures changes by reading the binary log, which costs the application's statements nothing.
 *
 * The keys go into the same journal that triggers would fill, in transactions of our own. These come after those whose keys
 * they hold in the primary's log (what a replica has got stands there already), and commits become visible in its order (on
 * MySQL with `binlog_order_commits`), also where they are held back (semi-sync): an entry that is visible stands for a change
 * that is visible, although events are read before their changes can be. What is not read yet is unknown, so whoever must
 * know all writes a mark and waits until it has come back (`gather`).
 */
export class BinlogChangeSource implements ChangeSource {
  private readonly journal: Journal;
  private readonly changelog: ChangelogTable;
  private readonly keys = new CapturedKeys();
  readonly heartbeat: MarkTimes;
  readonly blindTo = 'sessions with sql_log_bin = 0';
  private readonly before = new PreparedBefore();
  private readonly log: LogServer;
  private readonly stream: BinlogStream;
  private readonly marks = new Marks();
  private writer: KeyWriter | null = null;
  private marker: MarkWriter | null = null;
  private started: BinlogPosition | null = null;
  private readonly resumePoint = new ResumePoint();
  private triggers: readonly TriggerFacts[] = [];
  private readonly origin: FollowedOrigin;
  private readonly look = new Repeated(() => this.lookAtLog());
  private closed = false;
  private warned = false;
  private pump: Promise<void> = Promise.resolve();

  constructor(
    private readonly pair: TablePair,
    private readonly database: Database,
    private readonly work: Session,
    private readonly options: BinlogSourceOptions,
  ) {
    const { schema, origin, key } = pair;
    this.origin = new FollowedOrigin(pair, options.takesBackRenames);
    this.journal = new Journal(pair);
    this.changelog = new ChangelogTable(pair);
    this.heartbeat = new MarkTimes(this.changelog.readMark);
    this.log = logServer(database, () => this.marker?.session ?? null, pair, options);
    this.stream = new BinlogStream({
      database: this.log.database,
      tables: [
        { key: ORIGIN, schema, table: origin.table, columns: origin.columns, wanted: key.originKeys.names },
        this.changelog.streamed,
      ],
      renamesIn: (inSchema, sql) => this.origin.renamesIn({ schema: inSchema, sql }),
      ...(options.serverId === false ? {} : { serverId: options.serverId }),
    });
  }

  async start(): Promise<void> {
    const { work, database, pair } = this;
    await this.journal.create(work);
    await this.changelog.create(work);
    const marker = await database.open('marker');
    this.marker = new MarkWriter(marker, database, this.marks, this.changelog, this.heartbeat, this.options);
    const capture = await database.open('capture');
    this.writer = new KeyWriter(capture, pair, this.keys, this.changelog, this.options);
    await this.writer.setUp();
    this.triggers = await triggersOf(work, pair);
    await work.execute('COMMIT');
    this.started = await this.log.begin(this.changelog.streamed, this.options.stoppedBy(), () => this.mark());
    await this.resumePoint.remember(marker);
    await this.stream.start(this.started).catch((error: unknown) => {
      throw error instanceof BinlogConnectionLost ? lostForGood(error) : error;
    });
    this.marks.beginReading();
    this.pump = this.run();
    // What stands before the place where the reading began may not be visible yet; what was committed before the mark is.
    await this.gather(null, FIRST_MARK_MS);
    if (database.server.preparedXaLosesLocks) {
      await this.before.remember(work, (xid) => this.keys.isPrepared(xid));
      await work.execute('COMMIT');
    }
    this.marker.beatEvery(this.options.heartbeatMs);
    this.look.every(LOOK_EVERY_MS);
    debug('reading changes of %s from %s:%d', pair.origin.table, this.started.file, this.started.offset);
  }

  read(session: Session, copiedTo: CopiedTo, limit: number): Promise<ChangeBatch> {
    this.marks.check();
    return this.journal.read(session, copiedTo, limit);
  }

  backlog(session: Session, most: number): Promise<number> {
    this.marks.check();
    return this.journal.backlog(session, most);
  }

  async lockingBacklog(session: Session): Promise<number> {
    this.marks.check();
    // One that holds no table may be committed while others hold it: then it is in doubt until its keys wait to be written.
    const inDoubt = this.keys.inDoubt + (await this.before.left(session));
    refuseUnwritten(inDoubt, this.writer?.busy !== false || this.resumePoint.goesOver);
    return this.journal.lockingBacklog(session);
  }

  async lateChanges(session: Session): Promise<number> {
    const back = this.mark().then((mark) => this.marks.wait(mark, LAST_MARK_MS));
    let unknown = await inTime(back, 2 * LAST_MARK_MS).then(() => null, messageOf);
    const { behind } = this.resumePoint;
    if (behind) unknown ??= 'the server was started anew';
    if (unknown !== null && !this.warned)
      this.options.warn(`Nobody knows whether the old table was written to since: ${unknown}`);
    this.warned ||= unknown !== null;
    // Changes from before the swap would look late.
    return behind ? 0 : this.journal.lockingBacklog(session);
  }

  requeue(session: Session, keys: readonly RowKey[]): Promise<void> {
    return this.journal.requeue(session, keys);
  }

  pendingKeys(): { table: string; condition: string } {
    return this.journal.pendingKeys();
  }

  async gather(locked: Session | null, withinMs?: number): Promise<boolean> {
    this.marks.check();
    const { reading } = this.resumePoint;
    const signal = this.options.stoppedBy();
    const mark = await inTime(this.mark(), withinMs, signal);
    try {
      if (locked !== null) await inTime(this.writeOn(locked), withinMs, signal);
      await this.marks.wait(mark, withinMs, { signal, late: (late) => this.tellLate(late) });
      this.resumePoint.caughtUp(reading);
      // Not while others wait for the tables.
      if (locked === null) await inTime(this.log.check(this.stream.position), withinMs, signal);
    } finally {
      await this.writer?.releaseLocked();
    }
    return true;
  }

  /** From here on keys are written by the session that holds the tables; a statement that waits for it is taken back. */
  private async writeOn(locked: Session): Promise<void> {
    this.writer?.useLocked(locked);
    await this.marker?.interrupt(this.writer?.session.lifeLock ?? null);
  }

  probe(): Promise<void> {
    this.marks.check();
    return Promise.resolve();
  }

  async check(session: Session): Promise<void> {
    this.marks.check();
    await refuseChangedTriggers(session, this.pair, this.triggers, 'The new table would not have them');
    await this.journal.check(session, 'the keys of changes are written');
    await this.log.checkPrimary(session);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.look.stop();
    this.marker?.stop();
    this.writer?.stop();
    // A server that has nothing to send would not notice for a while that nobody listens.
    const { lifeLock } = this.stream;
    this.stream.close();
    await unlessSilent(this.log.kill(lifeLock));
    this.marks.end(new Error('the migration is over'));
    await unlessSilent(this.pump);
    await Promise.all([this.writer?.session.close(), this.marker?.session.close(), this.log.close()]);
  }

  private mark(): Promise<number> {
    if (this.marker === null) throw new Error('a mark before start');
    return this.marker.write();
  }

  /** Anything may have closed it while something was waited for. */
  private isClosed(): boolean {
    return this.closed;
  }

  private tellLate(late: boolean): void {
    const behindS = this.heartbeat.lagAt(this.marks.seen) / 1000;
    this.options.waiting(late ? `the binary log, which is ${behindS.toFixed(0)} s behind` : null);
    if (late) void this.lookAtLog();
  }

  /** Never rejects: what it finds ends the reading. */
  private lookAtLog(): Promise<void> {
    const found = (error: unknown): void => this.marks.refuse(this.log.explain(error));
    return this.log.check(this.stream.position).catch(found);
  }

  coordinates(): string | null {
    const { position } = this.stream;
    return position === null ? null : `${position.file}:${position.offset}`;
  }

  /** Reads until the end of the migration. Never rejects. */
  private async run(): Promise<void> {
    for (;;) {
      try {
        const batch = await this.stream.next();
        if (batch === null) return;
        for (const event of batch.events)
          if (event.kind === 'started')
            await notInterrupted(() => this.log.passStart(this.writer?.session ?? null, event));
        const mark = batch.events.reduce((last, event) => Math.max(last, this.takeIn(event)), 0);
        await untilCommitted(this.keys, this.writer?.session ?? null, this.database.server, this.isSeen);
        await this.writer?.flush(batch.position, mark > 0);
        this.resumePoint.moveTo(this.keys.startAgainAt(batch.position));
        this.marks.reach(mark);
      } catch (error) {
        if (this.closed) return;
        if (!(error instanceof BinlogConnectionLost) && !isConnectionLoss(error)) {
          this.marks.end(await whyEnded(error, () => this.log.check(this.stream.position)));
          return;
        }
        const failed = await this.comeBack(error).then(() => null, asError);
        if (failed === null) continue;
        this.marks.end(failed);
        return;
      }
    }
  }

  /** @returns the mark that came back; 0 when none did */
  private takeIn(event: BinlogEvent): number {
    if (event.kind === 'statement') this.origin.takeIn(event);
    if (event.kind === 'altered' && event.table === ORIGIN) throw changed(this.origin.name, event.difference);
    if (event.kind === 'rows' && event.table === CHANGELOG)
      return this.marks.order.passed(event.rows.map((row) => markIn(row) ?? 0));
    this.keys.takeIn(event);
    return 0;
  }

  /** Who holds the tables has waited for whoever had changed them. */
  private readonly isSeen: IsSeen = (session, keys) =>
    this.writer?.holdsTables === true || rowsAreFree(session, this.origin.name, this.pair.key, keys);

  private async comeBack(cause: unknown): Promise<void> {
    const { writer, started } = this;
    if (writer === null || started === null) throw cause;
    debug('reading broke off: %s', messageOf(cause));
    const until = clock.monotonic() + this.options.reconnectMs;
    for (let attempt = 1; ; attempt++) {
      try {
        if (writer.session.lost) await this.database.reopen(writer.session);
        // Whoever closed it may not have waited.
        if (this.isClosed()) {
          await writer.session.close();
          return;
        }
        await writer.setUp();
        const from = await this.resumePoint.place(writer.session, this.changelog, started, this.origin.over);
        if (from === null) throw lostForGood(cause);
        this.keys.reset();
        await this.log.resume(from);
        await this.stream.start(from);
        this.origin.goTo(this.stream.isRenamed(ORIGIN));
        return;
      } catch (error) {
        if (this.closed || error instanceof Refusal) throw this.log.explain(error);
        if (clock.monotonic() >= until) throw lostForGood(cause);
        await clock.sleep(backoff(attempt, 100, 2000));
      }
    }
  }
}
