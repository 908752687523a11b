import { TriggerTurn } from '../changes/triggers/trigger-turn';
import { liveLock } from '../database/metadata-locks';
import { processStates, waitsForTable } from '../database/process-list';
import { isLockTimeout, isTransient, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { endedWhenSilent } from '../database/silent-holder';
import { unlockTables } from '../database/unlock-tables';
import { debugLog } from '../events/debug-log';
import { clock } from '../util/clock';
import { confirmSwap } from './confirm-swap';
import type { CutOverDeps, SwapTimes } from './cut-over-deps';
import { deadlineIn, type Deadline } from './deadline';
import { carryAutoIncrement, checkGhost, drainLocked } from './final-drain';
import { closeGates, openGates } from './gates';
import { changedUnreplayed } from './half-swapped';
import type { Relative } from './locked-step';
import { lockStatement, takeBackSteps } from './locked-attempt';
import { answerOldReadViews, prepareAnswer, viewColumn, type OldReadViews } from './old-read-views';
import { Postponed } from './postponed';
import { firstInLine } from './first-in-line';
import { renameBackStatement, renameStatement } from './rename-statement';
import { idOf, RENAME_THEN_REPLAY, type ReplayNote } from './replay-note';
import { SentryLockRename } from './sentry-lock-rename';
import { settleSwap } from './settle-swap';
import { unsettled } from './unsettled';

const log = debugLog('cut-over');

/** How long the request for the new table is waited for to be seen waiting, in ms; writers are held up meanwhile. */
const QUEUE_WITHIN_MS = 1000;

/**
 * The order of 2011: the tables change places first, and the last changes are applied then. Nobody sees the table in
 * between, because it stays locked: on MySQL by the connection that renames; elsewhere the request for the new table waits
 * behind the RENAME, and is served before any writer or reader.
 *
 * What the lock does not outlive, the gates do: triggers on the new table that refuse every write until the last change is
 * applied. So a swap that breaks off before can be taken back with nothing lost, by whoever finds it (see `settleSwap`);
 * until then the application reads what the table held when the last change was applied, and cannot write.
 */
export class RenameThenReplay {
  readonly name = RENAME_THEN_REPLAY;
  private locker: Session | null = null;
  private sentry: SentryLockRename | null = null;
  private locked: Promise<unknown> = Promise.resolve();

  constructor(private readonly deps: CutOverDeps) {}

  /** @throws Postponed with every lock released and the origin in place; any other error may have come after the swap */
  attempt(answer: OldReadViews): Promise<SwapTimes> {
    const { work } = this.deps;
    return endedWhenSilent(work, this.waitsMs, () => this.attemptNow(answer));
  }

  private get waitsMs(): number {
    const { lockTimeoutMs, drainBudgetMs } = this.deps.options.cutOver;
    return lockTimeoutMs + drainBudgetMs;
  }

  private async attemptNow(answer: OldReadViews): Promise<SwapTimes> {
    const { work, observer, database, options } = this.deps;
    const settings = `SET SESSION lock_wait_timeout = ${Math.ceil(options.cutOver.lockTimeoutMs / 1000)}, SESSION innodb_lock_wait_timeout = 1`;
    // A RENAME of a connection that was lost, in either direction, may not come when the tables stand otherwise.
    await database.endLost(observer);
    await work.execute(settings);
    const { relatives, note } = await this.prepare(settings, answer).catch((error: unknown) =>
      this.giveUp(error),
    );
    const started = clock.monotonic();
    const deadline = (): Deadline => deadlineIn(options.cutOver.drainBudgetMs, 'cutOver.drainBudgetMs');
    if (this.sentry === null) await this.renameUnderLock(relatives, answer, deadline());
    else await this.renameBySentry(this.sentry, relatives, answer, deadline());
    const oldReadViews = await this.replay(note, answer, deadline());
    const stallMs = clock.monotonic() - started;
    log('renamed and replayed after %d ms', stallMs);
    return { stallMs, oldReadViews };
  }

  private async prepare(
    settings: string,
    answer: OldReadViews,
  ): Promise<{ relatives: readonly Relative[]; note: ReplayNote }> {
    const { work, pair, steps, database, state, epoch } = this.deps;
    const { schema, names } = pair;
    await prepareAnswer(this.deps, answer);
    for (const step of steps) await step.prepare();
    const relatives: Relative[] = [];
    for (const step of steps) relatives.push(...(await step.relatives()));
    const turn = new TriggerTurn(work, database.server.triggersLeaveFiles);
    await closeGates(work, schema, names, epoch, turn);
    const note: ReplayNote = {
      replayed: false,
      tableId: await idOf(work, { schema, table: names.ghost }),
    };
    await state.note(work, RENAME_THEN_REPLAY, note);
    if (!database.server.renameUnderLock) await this.prepareSentry(settings, relatives);
    return { relatives, note };
  }

  /** What does not need the last changes to be applied. Afterwards the lock is held, and the tables have changed places. */
  private async renameUnderLock(
    relatives: readonly Relative[],
    answer: OldReadViews,
    deadline: Deadline,
  ): Promise<void> {
    const { work, pair } = this.deps;
    try {
      await work.execute(lockStatement(this.deps, pair.names.ghost, relatives));
      await this.beforeRename(this.deps, answer, deadline);
      await work.execute(renameStatement(pair));
    } catch (error) {
      return this.giveUp(error);
    }
  }

  private async renameBySentry(
    sentry: SentryLockRename,
    relatives: readonly Relative[],
    answer: OldReadViews,
    deadline: Deadline,
  ): Promise<void> {
    const { locker } = this;
    if (locker === null) throw new Error('swap before prepare');
    await endedWhenSilent(locker, this.waitsMs, () =>
      this.renameWith(locker, sentry, relatives, answer, deadline),
    );
  }

  private async renameWith(
    locker: Session,
    sentry: SentryLockRename,
    relatives: readonly Relative[],
    answer: OldReadViews,
    deadline: Deadline,
  ): Promise<void> {
    const { pair } = this.deps;
    const deps = { ...this.deps, work: locker };
    const more = [{ schema: pair.schema, table: pair.names.old }, ...relatives];
    this.locked = Promise.resolve();
    try {
      await locker.execute(lockStatement({ pair, verifier: null }, pair.names.ghost, more));
      await this.beforeRename(deps, answer, deadline);
      await sentry.swap();
      await this.locked;
    } catch (error) {
      // Whatever comes of it: behind a lock that stayed everybody would wait, the request for the new table as well.
      await unlockTables(locker).catch(() => undefined);
      if (await this.holdsNewTable()) return;
      return this.giveUp(error);
    }
  }

  /** The RENAME may have been done although its connection was lost; with the lock on the name the tables tell for good. */
  private async holdsNewTable(): Promise<boolean> {
    const { work, pair } = this.deps;
    // Undefined where it was not asked for yet.
    const granted = await this.locked.catch(() => undefined);
    return granted !== undefined && !work.lost && (await confirmSwap(work, pair)) === 'swapped';
  }

  private async beforeRename(deps: CutOverDeps, answer: OldReadViews, deadline: Deadline): Promise<void> {
    const { work, guard, steps, signal } = deps;
    // Once more when the last changes are applied, but most of what would put the attempt off is seen here.
    if (answer === 'wait') await answerOldReadViews(deps, answer, deadline);
    await guard.checkUnchanged(work);
    await work.execute('COMMIT');
    await carryAutoIncrement(deps);
    await checkGhost(deps, viewColumn(deps.pair));
    for (const step of steps) await step.beforeSwap(deadline);
    signal.throwIfAborted();
  }

  /** Applies the last changes, the names having changed, and lets the application in. */
  private async replay(note: ReplayNote, answer: OldReadViews, deadline: Deadline): Promise<number> {
    const { work, view, pair, guard, state, signal, steps } = this.deps;
    const { schema, origin, names } = pair;
    view.switchNames();
    let oldReadViews: number;
    try {
      const now = await idOf(work, { schema, table: origin.table });
      if (now !== note.tableId) throw changedUnreplayed(pair);
      const deps = { ...this.deps, pair: view.pair };
      await drainLocked(deps, deadline, (session) => guard.checkEdges(session));
      oldReadViews = await answerOldReadViews(deps, answer, deadline);
      signal.throwIfAborted();
      // From here on the new table stays, whatever happens.
      await state.note(work, RENAME_THEN_REPLAY, { ...note, replayed: true } satisfies ReplayNote);
    } catch (error) {
      return this.giveUp(error);
    }
    try {
      await openGates(work, schema, names);
      for (const step of steps) await step.atSwap();
    } finally {
      await unlockTables(work);
    }
    return oldReadViews;
  }

  /** Takes back what was begun, on the same connection where that is left; otherwise whoever looks at the tables next. */
  private async giveUp(error: unknown): Promise<never> {
    const { work, view, pair, database, options } = this.deps;
    let takenBack = false;
    if (!work.lost) {
      if (!database.server.renameUnderLock) await this.unlockRenamingBack();
      try {
        const standing = await settleSwap(work, pair, liveLock(options.giveUpAfterMs));
        if (standing !== 'swapped') view.reset();
        takenBack = standing === 'not-swapped';
        if (takenBack) await takeBackSteps(this.deps);
      } finally {
        await unlockTables(work);
      }
    }
    if (!takenBack) throw unsettled(error);
    return postponed(error);
  }

  /**
   * Where a RENAME is refused under LOCK TABLES, the one that takes the swap back waits behind the lock, and is served before
   * anybody reads the new table. If that does not work out it can be read for a moment; its gates stay closed.
   */
  private async unlockRenamingBack(): Promise<void> {
    const { work, observer, pair, view } = this.deps;
    const { locker } = this;
    let back: Promise<unknown> = Promise.resolve();
    if (view.isSwitched && locker !== null && !locker.lost) {
      back = locker.execute(renameBackStatement(pair)).catch((error: unknown) => {
        log('not renamed back at once: %s', messageOf(error));
      });
      try {
        await seeWaiting(observer, locker, back, 'queueing the RENAME');
        const name = { schema: pair.schema, table: pair.origin.table };
        const other = await firstInLine(observer, name, locker.id);
        if (other !== null) throw new Postponed(`connection ${other} waits for the table, too`);
      } catch (error) {
        log('not renamed back at once: %s', messageOf(error));
        await work.execute(`KILL QUERY ${locker.id}`).catch(() => undefined);
      }
    }
    try {
      await unlockTables(work);
    } finally {
      await back;
    }
  }

  private async prepareSentry(settings: string, relatives: readonly Relative[]): Promise<void> {
    const { database } = this.deps;
    if (this.locker === null || this.locker.lost) {
      this.locker = await database.open('locker');
      await this.sentry?.dispose();
      const deps = { ...this.deps, work: this.locker };
      this.sentry = new SentryLockRename(deps, () => this.queueForNewTable(relatives));
    }
    await this.locker.execute(settings);
    await this.sentry?.prepare();
  }

  /** Asks for the new table while its name is still the old one's: the request is served right after the RENAME. */
  private async queueForNewTable(relatives: readonly Relative[]): Promise<void> {
    const { work, pair, observer } = this.deps;
    this.locked = work.execute(lockStatement(this.deps, pair.names.old, relatives));
    await seeWaiting(observer, work, this.locked, 'queueing for the new table');
  }

  async dispose(): Promise<void> {
    await this.sentry?.dispose();
    await this.locker?.close();
  }
}

/** @throws Postponed when the statement is not seen waiting for a table's lock */
async function seeWaiting(
  observer: Session,
  session: Session,
  statement: Promise<unknown>,
  doing: string,
): Promise<void> {
  const state = { over: false };
  statement.catch(() => undefined).finally(() => (state.over = true));
  const isOver = (): boolean => state.over;
  const deadline = deadlineIn(QUEUE_WITHIN_MS);
  while (!waitsForTable((await processStates(observer)).get(session.id))) {
    if (isOver()) throw new Postponed(`${doing} failed`);
    deadline.check(doing);
  }
}

function postponed(error: unknown): never {
  if (isLockTimeout(error) || isTransient(error)) throw new Postponed(messageOf(error), { cause: error });
  throw error;
}
