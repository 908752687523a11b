import { serverCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { readTableId } from '../guard/table-id';
import type { TableName } from '../schema/identifier';

export const RENAME_THEN_REPLAY = 'rename-then-replay';

/** What is written down of a swap that comes before the last changes. */
export interface ReplayNote {
  /** Whether the new table has every change, so that it may stay. */
  readonly replayed: boolean;
  /** The new table's id, which a TRUNCATE changes; null where the account may not see it. */
  readonly tableId: string | null;
}

/** Without the count of INSTANT changes, of which we make some. */
export async function idOf(session: Session, name: TableName): Promise<string | null> {
  const [row] = await session.query<{ version: string }>('SELECT VERSION() AS version');
  const id = await readTableId(session, { server: serverCapabilities(row?.version ?? ''), name });
  return id === null ? null : id.replace(/:\d*/g, '');
}
