import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import { errorNumber } from '../database/server-error';
import type { Session } from '../database/session';
import { debugLog } from '../events/debug-log';
import { addKey, dropKey, sameTable, type ForeignKey } from '../schema/foreign-key';
import { byTable, type PlannedChild } from '../schema/key-plan';
import type { TableName } from '../schema/identifier';
import { readOwnKeys } from '../schema/read-foreign-keys';
import { readIndexes } from '../schema/read-table-schema';
import { alterKeys, renameIndex, withoutChecks } from './alter-keys';
import type { KeyNote } from './key-note';

const log = debugLog('foreign-keys');

/**
 * Brings every key to where it was before: for tables that were not swapped. Looks at what there is, so that it does not
 * matter where the run was broken off, does nothing where nothing was changed, and leaves alone what somebody has changed
 * since: a child has its key's double, whatever it is called by then and whatever its columns are.
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
  const name = { schema, table: origin };
  await withoutChecks(session, async () => {
    if (note.dropsFirst && note.own.length > 0) {
      const there = await columnsOf(session, name);
      const possible = note.own.filter(({ columns }) => columns.every((column) => there.has(column)));
      await table.change(name, (keys) => missing(keys, possible).map(addKey));
      await table.nameIndexes(name, note.ownIndexes, [note.meanwhile, ...names(note.own)]);
    }
    for (const [child, planned] of byTable(note.children)) {
      const now = await whereChildIs(session, child, planned);
      await table.change(now, (keys) =>
        fromDouble(keys, planned, (_, { key }) => ({ ...key, name: key.name })),
      );
      for (const { indexes, key, standIn } of planned)
        await table.nameIndexes(now, indexes, [standIn.name, key.name]);
    }
    if (!ghostStays) return;
    await table.change({ schema, table: ghost }, (keys) => [
      ...keys
        .map(({ name: one }) => one)
        .filter((one) => !names(note.carried).includes(one))
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
      const now = await whereChildIs(session, child, planned);
      await table.change(now, (keys) => fromDouble(keys, planned, (double) => ({ ...double, parent: name })));
      for (const { indexes, key, standIn } of planned)
        await table.nameIndexes(now, indexes, [standIn.name, key.name]);
    }
    await table.change(name, (keys) =>
      note.final.flatMap((final) => {
        const found = keys.find((key) => key.name === final.key.name);
        if (found === undefined || final.name === final.key.name) return [];
        const renamed = { ...found, name: final.name };
        return [dropKey(found.name), ...missing(keys, [renamed]).map(addKey)];
      }),
    );
    log('the keys of %s and those that lead to it are in place; %s has none', origin, old);
  });
}

/** A double is replaced by the key that it stands in for, in one statement; where there is none nothing has to be done. */
function fromDouble(
  keys: readonly ForeignKey[],
  children: readonly PlannedChild[],
  made: (double: ForeignKey, child: PlannedChild) => ForeignKey,
): string[] {
  return children.flatMap((child) => {
    const double = keys.find(({ name }) => name === child.standIn.name);
    if (double === undefined) return [];
    const key = { ...made(double, child), name: child.key.name, columns: double.columns };
    return [dropKey(double.name), ...missing(keys, [key]).map(addKey)];
  });
}

/** The table that has the doubles: somebody may have renamed it since. */
async function whereChildIs(
  session: Session,
  child: TableName,
  planned: readonly PlannedChild[],
): Promise<TableName> {
  const rows = await session.query<{ schema: string; table: string }>(
    `SELECT TABLE_SCHEMA AS \`schema\`, TABLE_NAME AS \`table\` FROM information_schema.TABLE_CONSTRAINTS
      WHERE CONSTRAINT_SCHEMA = ? AND CONSTRAINT_TYPE = 'FOREIGN KEY' AND CONSTRAINT_NAME IN (?) LIMIT 1`,
    [child.schema, planned.map(({ standIn }) => standIn.name)],
  );
  return rows[0] ?? child;
}

async function columnsOf(session: Session, { schema, table }: TableName): Promise<Set<string>> {
  const rows = await session.query<{ name: string }>(
    'SELECT COLUMN_NAME AS `name` FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [schema, table],
  );
  return new Set(rows.map(({ name }) => name));
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
    await this.bounded(async () => {
      const keys = await this.unlessGone(() => readOwnKeys(this.session, table));
      if (keys === null) return;
      await alterKeys(this.session, table, clauses(keys));
    });
  }

  /** An index that bears the name of a key of ours, which its own is missing for. */
  async nameIndexes(
    table: TableName,
    indexes: readonly string[],
    meanwhile: readonly string[],
  ): Promise<void> {
    await this.bounded(async () => {
      const found = await this.unlessGone(() => readIndexes(this.session, table));
      if (found === null) return;
      const there = new Set(found.map(({ name }) => name));
      for (const name of indexes) {
        const other = meanwhile.find((one) => there.has(one) && !indexes.includes(one));
        if (there.has(name) || other === undefined) continue;
        await alterKeys(this.session, table, [renameIndex(other, name)]);
      }
    });
  }

  /** To look at a table takes a lock on it as well, which is waited for no longer than that of a change. */
  private bounded(work: () => Promise<void>): Promise<void> {
    return withBoundedLock(this.session, this.bound, work);
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

function missing(keys: readonly ForeignKey[], wanted: readonly ForeignKey[]): ForeignKey[] {
  return wanted.filter(({ name }) => !names(keys).includes(name));
}
