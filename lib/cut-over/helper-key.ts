import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { TableName } from '../schema/identifier';
import type { TablePair } from '../schema/table-pair';
import type { StateTable } from '../state/state-table';
import type { LockedStep, Relative } from './locked-step';

export const HELPER_KEY = 'helper-key';

/** What is written down of it. */
export interface HelperKeyNote {
  readonly index: string;
}

/**
 * The index by which rows of the ghost were found, where the new definition has none. It goes right after the swap, not
 * before: an attempt that is given up needs it to go on, and to make it anew takes as long as the table is large. Until
 * then it is one more index that is not unique, which refuses nothing.
 */
export class HelperKey implements LockedStep {
  readonly name = HELPER_KEY;
  readonly needsLock = null;

  constructor(
    private readonly pair: TablePair,
    private readonly work: Session,
    private readonly state: Pick<StateTable, 'note'>,
    /** Whether the lock is still held right after the swap. */
    private readonly lockOutlivesSwap: boolean,
  ) {}

  relatives(): Promise<readonly Relative[]> {
    return Promise.resolve([]);
  }

  async prepare(): Promise<void> {
    const note: HelperKeyNote = { index: this.pair.key.ghostIndex };
    await this.state.note(this.work, this.name, note);
  }

  async beforeSwap(): Promise<void> {}

  async atSwap(): Promise<void> {
    if (this.lockOutlivesSwap) await dropHelperKey(this.work, this.table, this.pair.key.ghostIndex);
  }

  async takeBack(): Promise<void> {}

  finish(session: Session, bound: BoundedLock): Promise<void> {
    return withBoundedLock(session, bound, () =>
      dropHelperKey(session, this.table, this.pair.key.ghostIndex),
    );
  }

  private get table(): TableName {
    return { schema: this.pair.schema, table: this.pair.origin.table };
  }
}

/** Without a copy. May be repeated. */
export async function dropHelperKey(
  session: Session,
  { schema, table }: TableName,
  index: string,
): Promise<void> {
  const found = await session.query(
    'SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = ? LIMIT 1',
    [schema, table, index],
  );
  if (found.length === 0) return;
  await session.execute(
    `ALTER TABLE ${qualified(schema, table)} DROP INDEX ${id(index)}, ALGORITHM = INPLACE`,
  );
}
