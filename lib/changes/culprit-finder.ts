import { rangeCondition } from '../chunk/key-range';
import { isDataError } from '../database/server-error';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';
import { insertFromOrigin } from './apply-sql';
import type { ScratchTable } from './scratch-table';

/** Rows that are searched at most: more than the largest chunk has by default. */
const MOST_ROWS = 100_000;

/**
 * Finds the first row that the new definition refuses. The server names the column, but counts rows within its
 * statement only; so the rows are built in the scratch table by halves, which costs about what one chunk does.
 */
export class CulpritFinder {
  constructor(
    private readonly pair: TablePair,
    private readonly scratch: ScratchTable,
  ) {}

  /**
   * @param condition over the origin: the rows of which one is refused
   * @returns its key; null when none is refused any more
   */
  async find(session: Session, condition: string): Promise<RowKey | null> {
    const { key, origin, schema } = this.pair;
    const alias = id(origin.table);
    const rows = await session.query(
      `SELECT ${key.originKeys.select(alias)} FROM ${qualified(schema, origin.table)} FORCE INDEX (${id(key.originIndex)})` +
        ` WHERE ${condition} ORDER BY ${key.originKeys.order(alias)} LIMIT ${MOST_ROWS}`,
    );
    const keys = rows.map((row) => key.originKeys.read(row));
    const refused = (from: number, to: number): Promise<boolean> =>
      this.refuses(session, condition, keys[from - 1] ?? null, keys[to - 1] ?? null);
    // Rows from `from` to before `to`: everything before them fits, and one of them does not.
    let [from, to] = [0, keys.length];
    if (to === 0 || !(await refused(from, to))) return null;
    while (to - from > 1) {
      const middle = Math.floor((from + to) / 2);
      if (await refused(from, middle)) to = middle;
      else from = middle;
    }
    return keys[from] ?? null;
  }

  private async refuses(
    session: Session,
    condition: string,
    after: RowKey | null,
    upTo: RowKey | null,
  ): Promise<boolean> {
    const { key, origin, names } = this.pair;
    const range = rangeCondition(key.originKeys, id(origin.table), { after, upTo });
    await this.scratch.clear(session);
    try {
      await session.execute(insertFromOrigin(this.pair, `(${condition}) AND ${range}`, names.scratch));
      return false;
    } catch (error) {
      if (isDataError(error)) return true;
      throw error;
    }
  }
}
