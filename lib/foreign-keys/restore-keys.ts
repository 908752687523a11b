import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import { errorNumber } from '../database/server-error';
import type { Session } from '../database/session';
import { debugLog } from '../events/debug-log';
import { addKey, dropKey, sameTable, type ForeignKey } from '../schema/foreign-key';
import type { TableName } from '../schema/identifier';
import { readOwnKeys } from '../schema/read-foreign-keys';
import { readIndexes } from '../schema/read-table-schema';
import { alterKeys, renameIndex, withoutChecks } from './alter-keys';
import { byTable, type KeyNote } from './key-note';

const log = debugLog('foreign-keys');

/**
 * Brings every key to where it was before: for tables that were not swapped. Looks at what there is, so that it does not
 * matter where the run was broken off, and does nothing where nothing was changed.
 *
 * @param ghostStays whether rows will go on being copied to the ghost
 */
export async function restoreBefore(
  session: Session,
  note: KeyNote,
  bound: BoundedLock,
  ghostStays: boolean,
): Promise<void> {
  const { schema, origin, ghost } = note;
  const table = new KeysOf(session, bound);
  await withoutChecks(session, async () => {
    await table.change({ schema, table: origin }, (keys) => missing(keys, note.own).map(addKey));
    await table.nameIndexes({ schema, table: origin }, note.ownIndexes, [note.meanwhile, ...names(note.own)]);
    for (const [child, planned] of byTable(note.children)) {
      await table.change(child, (keys) => [
        ...present(
          keys,
          planned.map(({ standIn }) => standIn.name),
        ).map(dropKey),
        ...missing(
          keys,
          planned.map(({ key }) => key),
        ).map(addKey),
      ]);
      for (const { indexes, key, standIn } of planned)
        await table.nameIndexes(child, indexes, [standIn.name, key.name]);
    }
    if (!ghostStays) return;
    await table.change({ schema, table: ghost }, (keys) => [
      ...keys
        .map(({ name }) => name)
        .filter((name) => !names(note.carried).includes(name))
        .map(dropKey),
      ...missing(keys, note.carried).map(addKey),
    ]);
  });
}

/** Brings every key to where it belongs, for tables that were swapped; the keys get the names they are to have. */
export async function restoreAfter(session: Session, note: KeyNote, bound: BoundedLock): Promise<void> {
  const { schema, origin, old } = note;
  const table = new KeysOf(session, bound);
  const name = { schema, table: origin };
  await withoutChecks(session, async () => {
    await leaveOld(session, note, bound);
    for (const [child, planned] of byTable(note.children)) {
      const wanted = planned.map(({ key, standIn }): ForeignKey => ({
        ...standIn,
        name: key.name,
        parent: name,
      }));
      await table.change(child, (keys) => [
        ...present(
          keys,
          planned.map(({ standIn }) => standIn.name),
        ).map(dropKey),
        ...missing(keys, wanted).map(addKey),
      ]);
      for (const { indexes, key, standIn } of planned)
        await table.nameIndexes(child, indexes, [standIn.name, key.name]);
    }
    const ghost = { schema, table: note.ghost };
    const wanted = note.final.map((final): ForeignKey => ({
      ...final.key,
      name: final.name,
      parent: sameTable(final.key.parent, ghost) ? name : final.key.parent,
    }));
    await table.change(name, (keys) => {
      const left = missing(keys, wanted);
      const meant = new Set(wanted.map((key) => key.name));
      return [
        ...keys
          .map((key) => key.name)
          .filter((one) => !meant.has(one))
          .map(dropKey),
        ...left.map(addKey),
      ];
    });
    log('the keys of %s and those that lead to it are in place; %s has none', origin, old);
  });
}

/**
 * Takes the keys off the old table, and the children off it: its rows must neither keep parents from going nor be
 * needed by anybody. What leads to the new table by then is left alone.
 */
export async function leaveOld(session: Session, note: KeyNote, bound: BoundedLock): Promise<void> {
  const table = new KeysOf(session, bound);
  const old = { schema: note.schema, table: note.old };
  await table.change(old, (keys) => names(keys).map(dropKey));
  for (const [child, planned] of byTable(note.children)) {
    const own = planned.map(({ key }) => key.name);
    await table.change(child, (keys) =>
      names(keys.filter((key) => own.includes(key.name) && sameTable(key.parent, old))).map(dropKey),
    );
  }
}

/** Tables whose keys are looked at, and changed by one statement each, so that none is ever without. */
class KeysOf {
  constructor(
    private readonly session: Session,
    private readonly bound: BoundedLock,
  ) {}

  async change(table: TableName, clauses: (keys: readonly ForeignKey[]) => string[]): Promise<void> {
    const keys = await this.unlessGone(() => readOwnKeys(this.session, table));
    if (keys === null) return;
    const wanted = clauses(keys);
    if (wanted.length === 0) return;
    await withBoundedLock(this.session, this.bound, () => alterKeys(this.session, table, wanted));
  }

  /** An index that bears the name of a key of ours, which its own is missing for. */
  async nameIndexes(
    table: TableName,
    indexes: readonly string[],
    meanwhile: readonly string[],
  ): Promise<void> {
    const found = await this.unlessGone(() => readIndexes(this.session, table));
    if (found === null) return;
    const there = new Set(found.map(({ name }) => name));
    for (const name of indexes) {
      const other = meanwhile.find((one) => there.has(one) && !indexes.includes(one));
      if (there.has(name) || other === undefined) continue;
      await withBoundedLock(this.session, this.bound, () =>
        alterKeys(this.session, table, [renameIndex(other, name)]),
      );
    }
  }

  private async unlessGone<T>(read: () => Promise<T>): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      if (errorNumber(error) === NO_SUCH_TABLE) return null;
      throw error;
    }
  }
}

const NO_SUCH_TABLE = 1146;

function names(keys: readonly ForeignKey[]): string[] {
  return keys.map(({ name }) => name);
}

function present(keys: readonly ForeignKey[], wanted: readonly string[]): string[] {
  return wanted.filter((name) => names(keys).includes(name));
}

function missing(keys: readonly ForeignKey[], wanted: readonly ForeignKey[]): ForeignKey[] {
  return wanted.filter(({ name }) => !names(keys).includes(name));
}
