import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { TablePair } from '../schema/table-pair';

/**
 * A temporary table like the ghost, without its unique indexes, on one session. Rows are built in it by the ghost's
 * own rules, to be compared: what CAST gives is not what an assignment to the column gives.
 */
export class ScratchTable {
  private createSql = '';

  constructor(private readonly pair: TablePair) {}

  /** Not inside a transaction: the ALTER commits. The table goes with its session. */
  async create(session: Session): Promise<void> {
    const { schema, names, ghost, key } = this.pair;
    const counter = ghost.columns.find((column) =>
      column.extra.toLowerCase().includes('auto_increment'),
    )?.name;
    const drops = ghost.indexes
      .filter((index) => index.name !== key.ghostIndex && index.parts[0]?.column !== counter)
      .map((index) => (index.name === 'PRIMARY' ? 'DROP PRIMARY KEY' : `DROP INDEX ${id(index.name)}`));
    await session.execute(`CREATE TEMPORARY TABLE ${this.table} LIKE ${qualified(schema, names.ghost)}`);
    if (drops.length > 0) await session.execute(`ALTER TABLE ${this.table} ${drops.join(', ')}`);
    const [row] = await session.query<Record<string, string>>(`SHOW CREATE TABLE ${this.table}`);
    this.createSql = (row?.['Create Table'] ?? '').replace(id(names.scratch), () => this.table);
    await session.execute('COMMIT');
  }

  /**
   * Empties it by making it anew: TRUNCATE would commit the transaction it is part of, and rows that were deleted
   * stay in the way of every later scan for as long as anybody has an old view open. Where nobody foresaw that it would
   * be needed it is made now, which does commit.
   */
  async clear(session: Session): Promise<void> {
    if (this.createSql === '') {
      await this.create(session);
      return;
    }
    await session.execute(`DROP TEMPORARY TABLE ${this.table}`);
    await session.execute(this.createSql);
  }

  private get table(): string {
    return qualified(this.pair.schema, this.pair.names.scratch);
  }
}
