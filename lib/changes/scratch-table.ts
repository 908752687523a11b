import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import type { TablePair } from '../schema/table-pair';
import { scratchDefinition } from './scratch-definition';

/**
 * A temporary table with the ghost's columns, without its unique indexes, on one session. Rows are built in it by the
 * ghost's own rules, to be compared: what CAST gives is not what an assignment to the column gives.
 */
export class ScratchTable {
  private readonly table: string;
  private readonly createSql: string;

  constructor(pair: TablePair) {
    this.table = qualified(pair.schema, pair.names.scratch);
    this.createSql = scratchDefinition(pair, this.table);
  }

  /**
   * Makes it anew and empty, within a transaction as well: TRUNCATE would commit, and rows that were deleted stay in
   * the way of every later scan for as long as anybody has an old view open. It goes with its session.
   */
  async clear(session: Session): Promise<void> {
    await session.execute(`DROP TEMPORARY TABLE IF EXISTS ${this.table}`);
    await session.execute(this.createSql);
  }
}
