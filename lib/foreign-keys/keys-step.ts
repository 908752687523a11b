import type { CutOverDeps } from '../cut-over/cut-over-deps';
import type { Deadline } from '../cut-over/deadline';
import type { LockedStep, Relative } from '../cut-over/locked-step';
import { Postponed } from '../cut-over/postponed';
import type { BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { errorNumber } from '../database/server-error';
import { id, qualified } from '../database/sql';
import { Refusal } from '../errors';
import { addKey, dropKey } from '../schema/foreign-key';
import { relativesOf, type KeyPlan } from '../schema/key-plan';
import type { StateTable } from '../state/state-table';
import { alterKeys, keepIndexes } from './alter-keys';
import { byTable, keyNote, type KeyNote } from './key-note';
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

export interface KeysStepDeps extends Pick<CutOverDeps, 'pair' | 'work' | 'guard'> {
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
  private readonly note: KeyNote;
  private changing = false;

  constructor(private readonly deps: KeysStepDeps) {
    const { pair, keys } = deps;
    this.note = keyNote({ schema: pair.schema, table: pair.origin.table }, pair.names, keys);
  }

  relatives(): Promise<readonly Relative[]> {
    const { pair, keys } = this.deps;
    return Promise.resolve(
      relativesOf(keys, { schema: pair.schema, table: pair.origin.table }, pair.names.ghost),
    );
  }

  async prepare(): Promise<void> {
    const { work, pair, keys, state } = this.deps;
    if (this.changing) throw lostInBetween();
    for (const key of keys.final) if (key.added) await refuseOrphans(work, pair, key);
    await state.note(work, this.name, this.note);
  }

  async beforeSwap(deadline: Deadline): Promise<void> {
    const { work, pair, keys, lockStays } = this.deps;
    for (const key of keys.final) if (key.added) await refuseOrphans(work, pair, key);
    await work.execute('COMMIT');
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
    if (!held) return;
    await this.deps.guard.acceptAlter(session);
    this.changing = false;
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

const NOT_LOCKED = 1100;

/** Cascades may have missed the ghost while its keys were the new table's. */
function lostInBetween(): Refusal {
  return new Refusal(
    'LHM_CONNECTION_LOST',
    'The lock was lost with its connection while foreign keys changed hands, so that cascades may have missed the copy.',
    'Run again: the table and all keys are as they were.',
  );
}
