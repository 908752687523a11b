import type { CutOverDeps } from '../cut-over/cut-over-deps';
import type { Deadline } from '../cut-over/deadline';
import type { LockedStep, Relative } from '../cut-over/locked-step';
import { Postponed, RAISE_BUDGET } from '../cut-over/postponed';
import type { BoundedLock } from '../database/metadata-locks';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { isOverTime, withTimeLimit } from '../database/time-limit';
import { errorNumber, NOT_LOCKED } from '../database/server-error';
import { id, qualified } from '../database/sql';
import { Refusal } from '../errors';
import { addKey, dropKey } from '../schema/foreign-key';
import { byTable, relativesOf, type KeyPlan } from '../schema/key-plan';
import type { StateTable } from '../state/state-table';
import { alterKeys, keepIndexes } from './alter-keys';
import { keyNote, type KeyNote } from './key-note';
import { rowsLeftBehind } from './left-behind';
import { refuseOrphans } from './orphans';
import { leaveOld, restoreAfter, restoreBefore } from './restore-keys';

/** What its note is called in the state table. */
export const FOREIGN_KEYS = 'foreign-keys';

/** Under the lock every table that is altered is held, so nothing has to be waited for. */
const HELD: BoundedLock = {
  waitSeconds: 1,
  attempts: 1,
  giveUpAfterMs: 0,
  pause: () => Promise.resolve(),
};

export interface KeysStepDeps extends Pick<CutOverDeps, 'pair' | 'work' | 'guard' | 'source'> {
  readonly server: ServerCapabilities;
  readonly keys: KeyPlan;
  readonly state: StateTable;
  /** Whether the work session still holds the lock after the swap. */
  readonly lockStays: boolean;
}

/**
 * Foreign keys change hands with the table. Before the swap the ghost gets the keys of the new table, and the keys of
 * other tables a double that leads to the ghost, and after the RENAME to the new table. The old table has to lose its
 * keys, and the children those that lead to it, before anybody writes: right after the RENAME where the lock outlives it,
 * so that at no instant a row is without its key; where it does not, right before.
 */
export class KeysStep implements LockedStep {
  readonly name = FOREIGN_KEYS;
  readonly needsLock = 'foreign keys lead to the table or away from it';
  readonly unsafe;
  private readonly note: KeyNote;
  private changing = false;

  constructor(private readonly deps: KeysStepDeps) {
    const { pair, keys, server } = deps;
    const why =
      'a RENAME locks the tables at the other end of each foreign key as well, and may wait for one of those';
    this.unsafe = server.renameUnderLock ? { strategy: 'sentry', why } : null;
    this.note = keyNote({ schema: pair.schema, table: pair.origin.table }, pair.names, keys, deps.lockStays);
  }

  /** Whoever holds a parent or a child is in the way as well. */
  alongside(): Promise<readonly Relative[]> {
    return this.relatives();
  }

  relatives(): Promise<readonly Relative[]> {
    const { pair, keys } = this.deps;
    return Promise.resolve(
      relativesOf(keys, { schema: pair.schema, table: pair.origin.table }, pair.names.ghost),
    );
  }

  async prepare(): Promise<void> {
    const { work, pair, keys, guard } = this.deps;
    if (this.changing) throw lostInBetween();
    await guard.checkChildren(work);
    for (const key of keys.final) if (key.added) await refuseOrphans(work, pair, key);
    await this.writeDown(work, false);
  }

  async beforeSwap(deadline: Deadline): Promise<void> {
    const { work, pair, keys, lockStays } = this.deps;
    await this.lookAtRows(deadline);
    await this.writeDown(work, true);
    deadline.check('looking for rows without a parent');
    this.changing = true;
    const origin = { schema: pair.schema, table: pair.origin.table };
    await alterKeys(work, { schema: pair.schema, table: pair.names.ghost }, [
      ...keys.carried.map(({ name }) => dropKey(name)),
      ...keys.helperIndexes.map((name) => `DROP INDEX ${id(name)}`),
      ...keys.final.map(({ key }) => addKey(key)),
    ]);
    for (const [child, planned] of byTable(keys.children)) {
      for (const { indexes, standIn } of planned) await keepIndexes(work, child, indexes, standIn.name);
      await alterKeys(work, child, [
        ...(lockStays ? [] : planned.map(({ key }) => dropKey(key.name))),
        ...planned.map(({ standIn }) => addKey(standIn)),
      ]);
    }
    if (!lockStays && keys.own.length > 0) {
      await keepIndexes(work, origin, keys.ownIndexes, this.note.meanwhile);
      await alterKeys(
        work,
        origin,
        keys.own.map(({ name }) => dropKey(name)),
      );
    }
    if (deadline.leftMs <= 0) throw new Postponed('the foreign keys took too long');
  }

  async atSwap(): Promise<void> {
    if (this.deps.lockStays) await leaveOld(this.deps.work, this.note, HELD);
  }

  async takeBack(session: Session, bound: BoundedLock): Promise<void> {
    if (!this.changing) return;
    const held = session === this.deps.work && (await this.isLocked(session));
    await restoreBefore(session, this.note, held ? HELD : bound, true);
    await this.writeDown(session, false);
    await this.deps.guard.acceptAlter(session);
    if (held) this.changing = false;
  }

  /** What is changed is put right by whoever finds it; what is not, others may have changed since. */
  private async writeDown(session: Session, begun: boolean): Promise<void> {
    await this.deps.state.note(session, this.name, { ...this.note, begun });
  }

  /** All that reads rows, in the time that there is. */
  private async lookAtRows(deadline: Deadline): Promise<void> {
    const { work, pair, keys, server, source } = this.deps;
    try {
      await withTimeLimit(work, server, deadline.leftMs, async () => {
        for (const key of keys.final) if (key.added) await refuseOrphans(work, pair, key);
        const lost = await rowsLeftBehind(work, pair, keys.halfHeeded);
        if (lost.length === 0) return;
        await source.requeue(work, lost);
        await work.execute('COMMIT');
        throw new Postponed(`${lost.length} rows were kept by their children`, { pauseMs: 0 });
      });
    } catch (error) {
      if (!isOverTime(error)) throw error;
      const reason = 'looking for rows without a parent took longer than cutOver.drainBudgetMs';
      throw new Postponed(reason, { cause: error, wayOut: RAISE_BUDGET });
    }
    await work.execute('COMMIT');
  }

  /** Under LOCK TABLES the server does not even look for a table that was not named: this one never exists. */
  private async isLocked(session: Session): Promise<boolean> {
    const { schema, names } = this.deps.pair;
    try {
      await session.query(`SELECT 1 FROM ${qualified(schema, names.foreignKey)}`);
      return false;
    } catch (error) {
      return errorNumber(error) === NOT_LOCKED;
    }
  }

  async finish(session: Session, bound: BoundedLock): Promise<void> {
    await restoreAfter(session, this.note, bound);
  }
}

/** Cascades may have missed the ghost while its keys were the new table's. */
function lostInBetween(): Refusal {
  return new Refusal(
    'LHM_CONNECTION_LOST',
    'The lock ended while foreign keys changed hands (a connection was lost, or the RENAME was killed), so that cascades may have missed the copy.',
    'Run again: the table and all keys are as they were.',
  );
}
