import { sameKeyCondition } from '../chunk/key-range';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { sameTable, type ForeignKey } from '../schema/foreign-key';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';

/**
 * Keeps rows that are being brought into the ghost in step with cascades, which change rows of the origin without a
 * trigger. One that comes after reaches the ghost by the keys that it carries. One that came between the reading of a
 * row and its insertion did not find it there: so the parents of the rows inserted are locked, which waits for whoever
 * is changing one, and what the origin then no longer has like this is read once more.
 *
 * Not by the server's own check: it asks whether a parent is there, and one that was taken away with its children and
 * then put back (REPLACE) is; and a row whose parent has been missing all along is to be copied as it is.
 */
export class CascadeFollower {
  constructor(private readonly pair: TablePair) {}

  get needed(): boolean {
    return this.pair.carriedKeys.length > 0;
  }

  /**
   * Locks the parents before anything of the ghost is: whoever changes one locks it before the rows that it cascades to,
   * and would wait for us while we wait for him.
   *
   * @param condition over the origin
   */
  async lockParents(session: Session, condition: string): Promise<void> {
    const { pair } = this;
    for (const key of pair.carriedKeys) {
      // Under the lock of the cut-over a table can be named once in a statement.
      if (sameTable(key.parent, pair.origin)) continue;
      const values = key.columns.map((column) => this.expression(column));
      const rows = `${qualified(pair.schema, pair.origin.table)} FORCE INDEX (${id(pair.key.originIndex)})`;
      await lockMatching(session, key, values, rows, condition);
    }
  }

  /**
   * Keys of inserted rows that the origin no longer has like this.
   *
   * @param condition over the ghost: the rows that were inserted
   */
  async outdated(session: Session, condition: string): Promise<RowKey[]> {
    const { pair } = this;
    const { schema, names, origin } = pair;
    const { ghostKeys, originKeys, ghostIndex, originIndex } = pair.key;
    const [ghost, own] = [id(names.ghost), id(origin.table)];
    const rows = `${qualified(schema, names.ghost)} FORCE INDEX (${id(ghostIndex)})`;
    for (const key of pair.carriedKeys) {
      const values = key.columns.map((column) => `${ghost}.${id(column)}`);
      await lockMatching(session, key, values, rows, condition);
    }
    const columns = [...new Set(pair.carriedKeys.flatMap((key) => key.columns))];
    const same = columns.map((column) => `${this.expression(column)} <=> ${ghost}.${id(column)}`);
    const found = await session.query(
      `SELECT ${ghostKeys.select(ghost)} FROM ${rows} LEFT JOIN ${qualified(schema, origin.table)} FORCE INDEX (${id(originIndex)})` +
        ` ON ${sameKeyCondition(ghostKeys, ghost, originKeys, own)}` +
        ` WHERE ${condition} AND (LENGTH(${own}.${id(originKeys.names[0] ?? '')}) IS NULL OR NOT (${same.join(' AND ')}))`,
    );
    return found.map((row) => ghostKeys.read(row));
  }

  private expression(target: string): string {
    return this.pair.columns.find((column) => column.target === target)?.expression ?? 'NULL';
  }
}

/** Takes a shared lock on every parent of some rows; those rows themselves are read without any. */
async function lockMatching(
  session: Session,
  key: ForeignKey,
  values: readonly string[],
  rows: string,
  condition: string,
): Promise<void> {
  const list = values.map((value, i) => `${value} AS hadron_${i}`).join(', ');
  const parent = id(key.parent.table);
  const same = key.parentColumns.map((column, i) => `${parent}.${id(column)} = hadron_rows.hadron_${i}`);
  await session.query(
    `SELECT COUNT(*) FROM (SELECT DISTINCT ${list} FROM ${rows} WHERE ${condition}) AS hadron_rows` +
      ` STRAIGHT_JOIN ${qualified(key.parent.schema, key.parent.table)} ON ${same.join(' AND ')} LOCK IN SHARE MODE`,
  );
}
