import { createTaking } from '../database/create-taking';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';
import { keyDefinitions } from '../changes/journal/journal-table';

export interface RecheckBatch {
  readonly keys: readonly RowKey[];
  /** The last number in the batch. */
  readonly upTo: string;
  readonly entries: number;
}

/**
 * Keys that were applied after their range had been compared, and so must be compared again. On the server, because
 * a busy table touches more keys than a process should hold; only the migration's own session writes it, so its
 * numbers have no gaps in visibility.
 */
export class RecheckTable {
  constructor(private readonly pair: TablePair) {}

  async create(session: Session): Promise<void> {
    await createTaking(
      session,
      { schema: this.pair.schema, table: this.pair.names.recheck },
      `CREATE TABLE ${this.table} (hadron_seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,` +
        ` ${keyDefinitions(this.pair).join(', ')}) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4`,
    );
  }

  async record(session: Session, keys: readonly RowKey[]): Promise<void> {
    if (keys.length === 0) return;
    const { originKeys } = this.pair.key;
    const rows = keys.map((key) => `(${originKeys.literals(key).join(', ')})`);
    await session.execute(
      `INSERT INTO ${this.table} (${originKeys.names.map(id).join(', ')}) VALUES ${rows.join(', ')}`,
    );
  }

  async read(session: Session, limit: number): Promise<RecheckBatch> {
    const { originKeys } = this.pair.key;
    const rows = await session.query<Record<string, unknown> & { hadron_seq: string }>(
      `SELECT hadron_seq, ${originKeys.select(id(this.pair.names.recheck))} FROM ${this.table}` +
        ` ORDER BY hadron_seq LIMIT ${limit}`,
    );
    const keys = new Map<string, RowKey>();
    for (const row of rows) {
      const key = originKeys.read(row);
      keys.set(JSON.stringify(key), key);
    }
    return { keys: [...keys.values()], upTo: String(rows.at(-1)?.hadron_seq ?? 0), entries: rows.length };
  }

  async remove(session: Session, batch: RecheckBatch): Promise<void> {
    await session.execute(`DELETE FROM ${this.table} WHERE hadron_seq <= ${batch.upTo}`);
  }

  private get table(): string {
    return qualified(this.pair.schema, this.pair.names.recheck);
  }
}
