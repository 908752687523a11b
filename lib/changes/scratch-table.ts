import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { TablePair } from '../schema/table-pair';

/**
 * A temporary table like the ghost, without its unique indexes, on one session. Rows are built in it by the ghost's
 * own rules, to be compared: what CAST gives is not what an assignment to the column gives.
 */
export class ScratchTable {
  constructor(private readonly pair: TablePair) {}

  /** Not inside a transaction: the ALTER commits. The table goes with its session. */
  async create(session: Session): Promise<void> {
    const { schema, names, ghost, key } = this.pair;
    const table = qualified(schema, names.scratch);
    const counter = ghost.columns.find((column) =>
      column.extra.toLowerCase().includes('auto_increment'),
    )?.name;
    const drops = ghost.indexes
      .filter((index) => index.name !== key.ghostIndex && index.parts[0]?.column !== counter)
      .map((index) => (index.name === 'PRIMARY' ? 'DROP PRIMARY KEY' : `DROP INDEX ${id(index.name)}`));
    await session.execute(`CREATE TEMPORARY TABLE ${table} LIKE ${qualified(schema, names.ghost)}`);
    if (drops.length > 0) await session.execute(`ALTER TABLE ${table} ${drops.join(', ')}`);
    await session.execute('COMMIT');
  }

  /**
   * Between transactions, and without LOCK TABLES: it commits. Much cheaper than DELETE over a long run, in which the
   * rows deleted before would be read over again and again.
   */
  async truncate(session: Session): Promise<void> {
    await session.execute(`TRUNCATE TABLE ${qualified(this.pair.schema, this.pair.names.scratch)}`);
  }

  /** DELETE, because TRUNCATE would commit the transaction it is part of. */
  async clear(session: Session): Promise<void> {
    await session.execute(`DELETE FROM ${qualified(this.pair.schema, this.pair.names.scratch)}`);
  }
}
