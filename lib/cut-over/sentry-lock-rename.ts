import { qualified } from '../database/sql';
import { errorNumber, isLockTimeout, messageOf } from '../database/server-error';
import { processStates, waitsForTable } from '../database/process-list';
import { ConnectionDoesNotEnd } from '../database/ended-connection';
import type { Session } from '../database/session';
import { unlockTables } from '../database/unlock-tables';
import { NameTaken } from '../errors';
import { readTableTypes } from '../schema/read-table-schema';
import { confirmSwap } from './confirm-swap';
import type { CutOverDeps, SwapStrategy } from './cut-over-deps';
import { deadlineIn } from './deadline';
import { firstInLine } from './first-in-line';
import { Postponed } from './postponed';
import { renameStatement } from './rename-statement';
import { createSentry, SENTRY_COMMENT } from './sentry-table';
import { refuseWritersFirst } from './writers-first';
import { clock } from '../util/clock';

const TABLE_EXISTS = 1050;

/** What the RENAME may wait for the origin, which this run holds until it is seen waiting, in s. */
const QUEUED_SECONDS = 1;

/** How long the RENAME is waited for to be seen waiting, in ms; writers are held up meanwhile. */
const QUEUE_WITHIN_MS = 1000;

/** How long a RENAME that was killed may take to end. */
const KILLED_WITHIN_MS = 2000;

/**
 * The atomic swap where LOCK TABLES and RENAME do not go together (MariaDB, older MySQL); the idea of a sentry is
 * gh-ost's. The work session holds all tables and a sentry that bears the old table's name; another session's RENAME
 * waits behind it; once the sentry is dropped and the lock released, the RENAME is served before any writer. If the
 * work session dies early, the sentry is still there and the RENAME fails: nothing is lost.
 *
 * The lock is a WRITE lock: a READ lock is never granted while writers' transactions overlap.
 */
export class SentryLockRename implements SwapStrategy {
  readonly name = 'sentry';
  private renamer: Session | null = null;

  constructor(
    private readonly deps: CutOverDeps,
    /** Runs once the RENAME waits, before the lock is released. */
    private readonly queued: () => Promise<void> = () => Promise.resolve(),
  ) {}

  async prepare(): Promise<readonly string[]> {
    const { work, observer, pair, database, options } = this.deps;
    await refuseWritersFirst(observer);
    if (this.renamer === null || this.renamer.lost) this.renamer = await database.open('renamer');
    const seconds = Math.ceil(options.cutOver.lockTimeoutMs / 1000) + QUEUED_SECONDS;
    await this.renamer.execute(`SET SESSION lock_wait_timeout = ${seconds}`);
    try {
      await work.execute(createSentry(pair.schema, pair.names.old));
    } catch (error) {
      if (isLockTimeout(error)) throw new Postponed(messageOf(error), { cause: error });
      if (errorNumber(error) !== TABLE_EXISTS) throw error;
      if (!(await this.sentryStands())) throw new NameTaken(pair.schema, pair.names.old, error);
    }
    return [pair.names.old];
  }

  /**
   * Once the sentry is gone the RENAME is never killed, by which MariaDB loses the table's triggers for good (see
   * docs/triggers.md): it gives up by itself when a lock is not granted. Somebody who reads the ghost makes it wait on,
   * and everybody who wants the table behind it.
   */
  async swap(): Promise<void> {
    const { work, pair, observer } = this.deps;
    const { renamer } = this;
    if (renamer === null) throw new Error('swap before prepare');
    const renamed = renamer.execute(renameStatement(pair));
    renamed.catch(() => undefined);
    try {
      await this.seeWaiting(renamer, renamed);
      await this.queued();
      await this.seeFirst(renamer);
    } catch (error) {
      await this.withdraw(renamer, renamed);
      throw error;
    }
    try {
      await work.execute(`DROP TABLE ${this.sentry}`);
    } catch (error) {
      if (!work.lost && (await this.sentryStands())) await this.withdraw(renamer, renamed);
      else {
        // The locks are gone, or go now; whether the sentry was there still decides what becomes of the RENAME.
        await unlockTables(work).catch(() => undefined);
        await renamed.catch(() => undefined);
      }
      throw error;
    }
    // If the session is lost just here its locks are gone all the same, and only the RENAME tells how it ended.
    await unlockTables(work).catch(() => undefined);
    try {
      await renamed;
    } catch (error) {
      if (renamer.lost || work.lost) throw error;
      // It may have been killed just when it was done.
      if ((await confirmSwap(observer, pair)) === 'swapped') return;
      throw new Postponed(`the RENAME failed: ${messageOf(error)}`, { cause: error });
    }
  }

  /**
   * Ends the RENAME while the sentry stands: whenever it gets its turn it fails, or it is killed before. The lock is kept
   * for what has to be taken back, unless the RENAME would not let go of its place.
   */
  private async withdraw(renamer: Session, renamed: Promise<unknown>): Promise<void> {
    const { work, observer } = this.deps;
    await (work.lost ? observer : work).execute(`KILL QUERY ${renamer.id}`).catch(() => undefined);
    const gone = renamed.then(() => true).catch(() => true);
    if (await Promise.race([gone, clock.sleep(KILLED_WITHIN_MS).then(() => false)])) return;
    await unlockTables(work);
    await gone;
  }

  /**
   * The RENAME must be seen waiting before the lock is released, or writers would come first. It takes its locks in
   * byte order of the names, the origin's being the first, so a wait for a table's lock is a wait for the origin.
   */
  private async seeWaiting(renamer: Session, renamed: Promise<unknown>): Promise<void> {
    let failed: unknown = null;
    renamed.catch((error: unknown) => (failed = error));
    const deadline = deadlineIn(QUEUE_WITHIN_MS);
    for (;;) {
      if (failed !== null) throw new Postponed(`the RENAME failed: ${messageOf(failed)}`, { cause: failed });
      const state = (await processStates(this.deps.observer)).get(renamer.id) ?? '';
      if (waitsForTable(state)) return;
      // For somebody who waits for us in turn: FLUSH TABLES WITH READ LOCK, SET read_only, a backup.
      if (/^Waiting for /.test(state)) throw new Postponed(`the RENAME is held up (${state})`);
      deadline.check('queueing the RENAME');
    }
  }

  /** Nobody may come between the release of the lock and the RENAME. */
  private async seeFirst(renamer: Session): Promise<void> {
    const { pair, observer } = this.deps;
    await refuseWritersFirst(observer);
    const first = await firstInLine(observer, { schema: pair.schema, table: pair.origin.table }, renamer.id);
    if (first === null) return;
    throw new Postponed(`connection ${first} waits to change the table's definition, or to empty it`, {
      wayOut: 'Keep others from altering, truncating or renaming the table',
    });
  }

  private async sentryStands(): Promise<boolean> {
    const { pair, observer } = this.deps;
    const found = await readTableTypes(observer, pair.schema, [pair.names.old]);
    return found.get(pair.names.old)?.comment === SENTRY_COMMENT;
  }

  private get sentry(): string {
    return qualified(this.deps.pair.schema, this.deps.pair.names.old);
  }

  async dispose(): Promise<void> {
    await this.renamer?.close();
    const { observer, database } = this.deps;
    if (observer.lost || !(await this.sentryStands())) return;
    try {
      await database.endLost(observer);
    } catch (reason) {
      // Its RENAME may still wait: with the sentry gone it would swap the tables, however old the ghost is by then.
      if (reason instanceof ConnectionDoesNotEnd) return;
      throw reason;
    }
    await observer.execute(`DROP TABLE ${this.sentry}`);
  }
}
