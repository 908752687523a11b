import type { BinlogPosition } from '../../binlog/binlog-position';
import { refuseReadOnly } from '../../database/read-only';
import { isConnectionLoss, isReadOnly, messageOf } from '../../database/server-error';
import type { Session } from '../../database/session';
import { debugLog } from '../../events/debug-log';
import type { TablePair } from '../../schema/table-pair';
import { backoff } from '../../util/backoff';
import { clock } from '../../util/clock';
import type { BinlogSourceOptions } from './binlog-source-options';
import type { CapturedKey, CapturedKeys } from './captured-keys';
import type { ChangelogTable } from './changelog-table';
import { insertLocked, insertOn, mayBeWrittenAgain, setUpWriter, stillThere } from './insert-keys';

const debug = debugLog('changes');

/** How often it is written down how far the log was read while there are no keys, in ms: a server may have purged it by then. */
const MOVE_EVERY_MS = 10_000;

/** How long the server is taken to be as it was, in ms. */
const LOOK_EVERY_MS = 100;

/** Writes captured keys into the journal, together with how far the log has been dealt with. */
export class KeyWriter {
  /** Holds the tables, the journal included: nobody else can write to it. */
  private locked: Session | null = null;
  /** What is being written by that session. */
  private onLocked: Promise<void> = Promise.resolve();
  /** Keys were taken that may not be in the journal yet. */
  private flushing = false;
  private stopped = false;
  private lookAt = 0;
  private moveAt = clock.monotonic() + MOVE_EVERY_MS;

  /** @param session with autocommit */
  constructor(
    readonly session: Session,
    private readonly pair: TablePair,
    private readonly keys: CapturedKeys,
    private readonly changelog: ChangelogTable,
    private readonly options: Pick<
      BinlogSourceOptions,
      'replica' | 'keysAtOnce' | 'readOnly' | 'reconnectMs'
    >,
  ) {}

  /** Again for each new connection. */
  setUp(): Promise<void> {
    return setUpWriter(this.session);
  }

  /** Whether changes are known whose keys are not in the journal. */
  get busy(): boolean {
    return this.flushing || this.keys.size > 0;
  }

  /** From here on keys are written by the session that holds the tables. */
  useLocked(session: Session): void {
    this.locked = session;
  }

  /** Nothing that is being written by that session is left behind on it. What waits for the tables itself waits on. */
  async releaseLocked(): Promise<void> {
    this.locked = null;
    await this.onLocked;
  }

  get holdsTables(): boolean {
    return this.locked !== null;
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.stopped = true;
  }

  /**
   * @param reached how far the log was read
   * @param marked whether a mark came back: then that what was written before is still there, too, has to be made sure of
   */
  async flush(reached: BinlogPosition, marked: boolean): Promise<void> {
    let proven = !marked || (this.options.replica === null && !this.isToMove());
    let readOnlySince: number | null = null;
    for (let attempt = 1; this.keys.size > 0 || !proven;) {
      this.flushing = this.keys.size > 0;
      const { locked } = this;
      const keys = this.keys.take();
      try {
        if (locked !== null && keys.length > 0) await this.insertLocked(locked, keys);
        else {
          await this.insert(keys, reached);
          proven = true;
        }
      } catch (error) {
        this.keys.giveBack(keys);
        if (keys.length === 0 && this.isToMove() && !this.stopped && !isConnectionLoss(error)) {
          // Nothing is lost by it but time after a restart.
          this.moveAt = clock.monotonic() + MOVE_EVERY_MS;
          debug('the place was not written down: %s', messageOf(error));
          continue;
        }
        const readOnly = isReadOnly(error);
        if (this.stopped || !(readOnly || mayBeWrittenAgain(error))) throw error;
        debug('the keys were not written: %s', messageOf(error));
        if (!readOnly) continue;
        readOnlySince ??= clock.monotonic();
        if (clock.monotonic() >= readOnlySince + this.options.reconnectMs) throw error;
        await clock.sleep(backoff(attempt++, 20, 500));
      }
    }
    this.flushing = false;
  }

  /** Whether the place alone is to be written down: not while the tables are held, when others wait. */
  private isToMove(): boolean {
    return this.locked === null && clock.monotonic() >= this.moveAt;
  }

  private async insert(keys: readonly CapturedKey[], reached: BinlogPosition): Promise<void> {
    const { session, pair, changelog, options } = this;
    if (keys.length === 0 && !this.isToMove()) {
      await stillThere(session);
      return;
    }
    if (clock.monotonic() >= this.lookAt) {
      await refuseReadOnly(session, options.readOnly);
      this.lookAt = clock.monotonic() + LOOK_EVERY_MS;
    }
    const also = changelog.moveTo(this.keys.startAgainAt(reached));
    await insertOn(session, pair, keys, { atOnce: options.keysAtOnce(), also });
    this.keys.wroteDown(reached);
    this.moveAt = clock.monotonic() + MOVE_EVERY_MS;
  }

  private async insertLocked(locked: Session, keys: readonly CapturedKey[]): Promise<void> {
    const written = insertLocked(locked, this.pair, keys, this.options.keysAtOnce());
    this.onLocked = written.catch(() => undefined);
    await written;
  }
}
