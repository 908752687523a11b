import { Refusal } from '../errors';
import { messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { sameKeyCondition } from '../chunk/key-range';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';
import type { Index, IndexPart } from '../schema/table-schema';
import { insertFromOrigin } from './apply-sql';
import type { ScratchTable } from './scratch-table';

/** Keys brought into a batch at once; more wait for the next round. */
const MOST_KEYS = 1000;

/**
 * Finds which rows of the ghost stand in the way of rows that are being inserted.
 *
 * The incoming rows are built in a scratch table that is like the ghost, so that values, collations and prefixes
 * are compared by the ghost's own rules. The scratch rows come from one statement, that is, one snapshot: two of
 * them that collide are both in the origin, and no order of applying changes can make them fit.
 */
export class ConflictFinder {
  constructor(
    private readonly pair: TablePair,
    private readonly scratch: ScratchTable,
  ) {}

  /**
   * @param condition over the origin: the rows that are being inserted
   * @throws Refusal LHM_DUPLICATE_ROWS naming both rows
   */
  async find(session: Session, condition: string, cause: unknown): Promise<RowKey[]> {
    await this.scratch.clear(session);
    await session.execute(insertFromOrigin(this.pair, condition, this.pair.names.scratch));
    const found = new Map<string, RowKey>();
    for (const index of this.pair.ghost.indexes.filter((candidate) => candidate.unique)) {
      await this.refuseGenuine(session, index, cause);
      for (const key of await this.holders(session, index)) found.set(JSON.stringify(key), key);
    }
    return [...found.values()];
  }

  private async refuseGenuine(session: Session, index: Index, cause: unknown): Promise<void> {
    const scratch = qualified(this.pair.schema, this.pair.names.scratch);
    const alias = id(this.pair.names.scratch);
    const parts = index.parts.map((part) => valueOf(part, alias));
    const { ghostKeys } = this.pair.key;
    const key = ghostKeys.columns
      .map((column) => column.fetch(`${alias}.${id(column.name)}`))
      .join(", ',', ");
    const [twice] = await session.query<{ hadron_rows: string }>(
      `SELECT GROUP_CONCAT(CONCAT('(', ${key}, ')') ORDER BY 1 SEPARATOR ' and ') AS hadron_rows FROM ${scratch}` +
        ` WHERE ${parts.map((part) => `${part} IS NOT NULL`).join(' AND ')}` +
        ` GROUP BY ${parts.join(', ')} HAVING COUNT(*) > 1 LIMIT 1`,
    );
    if (twice === undefined) return;
    const names = ghostKeys.names.join(', ');
    throw new Refusal(
      'LHM_DUPLICATE_ROWS',
      `Rows of '${this.pair.origin.table}' with (${names}) ${twice.hadron_rows} collide under the unique index '${index.name}' of the new definition: ${messageOf(cause)}.`,
      'Correct one of the rows, or leave the unique index out; the table was left as it is.',
      { cause },
    );
  }

  /** Keys of ghost rows that hold a value of an incoming row, and are not incoming themselves. */
  private async holders(session: Session, index: Index): Promise<RowKey[]> {
    const { schema, names, key } = this.pair;
    const [ghost, scratch] = [id(names.ghost), id(names.scratch)];
    const same = index.parts
      .map((part) => `${valueOf(part, ghost)} = ${valueOf(part, scratch)}`)
      .join(' AND ');
    const rows = await session.query(
      `SELECT DISTINCT ${key.ghostKeys.select(ghost)} FROM ${qualified(schema, names.scratch)}` +
        ` JOIN ${qualified(schema, names.ghost)} ON ${same}` +
        ` WHERE NOT (${sameKeyCondition(key.ghostKeys, ghost, key.ghostKeys, scratch)}) LIMIT ${MOST_KEYS}`,
    );
    return rows.map((row) => key.ghostKeys.read(row));
  }
}

/** What an index part holds, for the table behind `alias`. */
function valueOf(part: IndexPart, alias: string): string {
  if (part.column === null) return `(${qualifyExpression(part.expression ?? 'NULL', alias)})`;
  const column = `${alias}.${id(part.column)}`;
  return part.prefix === null ? column : `LEFT(${column}, ${part.prefix})`;
}

/** SHOW INDEX quotes every column of an expression, and nothing else, with back-ticks; its quotes are escaped. */
function qualifyExpression(expression: string, alias: string): string {
  return expression.replaceAll("\\'", "'").replace(/`(?:[^`]|``)+`/g, (name) => `${alias}.${name}`);
}
