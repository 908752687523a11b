import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { KeyColumns, RowKey } from '../schema/key-column';
import { afterCondition, type KeyRange } from './key-range';

/** A key by which a table is walked. */
export interface Walk {
  readonly schema: string;
  readonly table: string;
  readonly index: string;
  readonly keys: KeyColumns;
}

/**
 * The next range of about `rows` rows after a key: found by counting along the index, so that gaps in the keys cost
 * nothing. The last range has no end, so that rows inserted behind the last one seen belong to it.
 */
export async function nextRange(
  session: Session,
  walk: Walk,
  after: RowKey | null,
  rows: number,
): Promise<KeyRange> {
  const alias = id(walk.table);
  const condition = after === null ? 'TRUE' : afterCondition(walk.keys, alias, after);
  const [bound] = await session.query(
    `SELECT ${walk.keys.select(alias)} FROM ${qualified(walk.schema, walk.table)} FORCE INDEX (${id(walk.index)})` +
      ` WHERE ${condition} ORDER BY ${walk.keys.order(alias)} LIMIT 1 OFFSET ${rows - 1}`,
  );
  return { after, upTo: bound === undefined ? null : walk.keys.read(bound) };
}
