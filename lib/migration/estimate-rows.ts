import type { Session } from '../database/session';
import type { TableName } from '../schema/identifier';

/** How many rows the server believes there are: statistics, which can be wrong by half. */
export async function estimateRows(session: Session, { schema, table }: TableName): Promise<number> {
  const [row] = await session.query<{ estimate: string | null }>(
    'SELECT TABLE_ROWS AS estimate FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [schema, table],
  );
  return Number(row?.estimate ?? 0);
}
