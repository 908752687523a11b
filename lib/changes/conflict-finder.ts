import { Refusal } from '../errors';
import { messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { sameKeyCondition } from '../chunk/key-range';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';
import type { Index, IndexPart } from '../schema/table-schema';
import { insertFromOrigin, originHas } from './apply-sql';
import type { ScratchTable } from './scratch-table';

/** A row of the ghost, and an incoming one that needs its value. */
interface Collision {
  readonly holder: RowKey;
  readonly incoming: RowKey;
}

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
    /** Pairs looked at in one round, which all are named in one statement; more wait for the next. */
    private readonly mostPairs: () => number,
  ) {}

  /**
   * @param condition over the origin: the rows that are being inserted
   * @returns keys of ghost rows that are out of date, and hold values of the incoming rows
   * @throws Refusal LHM_DUPLICATE_ROWS naming both rows
   */
  async find(session: Session, condition: string, cause: unknown): Promise<RowKey[]> {
    await this.build(session, condition, cause);
    const collisions: Collision[] = [];
    for (const index of this.uniques) {
      const room = this.mostPairs() - collisions.length;
      if (room > 0) collisions.push(...(await this.collisions(session, index, room)));
    }
    if (collisions.length === 0) return [];
    // A holder that is current collides in the origin itself: both rows have to be seen in one snapshot to tell.
    const both = collisions.flatMap(({ holder, incoming }) => [holder, incoming]);
    await this.build(session, originHas(this.pair, distinct(both)), cause);
    return distinct(collisions.map(({ holder }) => holder));
  }

  /** Builds rows in the scratch table, from one snapshot. */
  private async build(session: Session, condition: string, cause: unknown): Promise<void> {
    await this.scratch.clear(session);
    await session.execute(insertFromOrigin(this.pair, condition, this.pair.names.scratch));
    for (const index of this.uniques) await this.refuseGenuine(session, index, cause);
  }

  private get uniques(): readonly Index[] {
    return this.pair.ghost.indexes.filter((index) => index.unique);
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

  /** Ghost rows that hold a value of an incoming row, and are not incoming themselves. */
  private async collisions(session: Session, index: Index, most: number): Promise<Collision[]> {
    const { schema, names, key } = this.pair;
    const [ghost, scratch] = [id(names.ghost), id(names.scratch)];
    const same = index.parts
      .map((part) => `${valueOf(part, ghost)} = ${valueOf(part, scratch)}`)
      .join(' AND ');
    const rows = await session.query(
      `SELECT ${key.ghostKeys.select(ghost)}, ${key.ghostKeys.select(scratch, 'hadron_s')}` +
        ` FROM ${qualified(schema, names.scratch)} JOIN ${qualified(schema, names.ghost)} ON ${same}` +
        ` WHERE NOT (${sameKeyCondition(key.ghostKeys, ghost, key.ghostKeys, scratch)}) LIMIT ${most}`,
    );
    return rows.map((row) => ({
      holder: key.ghostKeys.read(row),
      incoming: key.ghostKeys.read(row, 'hadron_s'),
    }));
  }
}

function distinct(keys: readonly RowKey[]): RowKey[] {
  return [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];
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
