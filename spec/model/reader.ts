import type { Connection } from 'mysql2/promise';
import { Broken, TABLE, TWIN, type Tables } from './tables';

const STALE_VIEW = 1412;

/** Keeps a snapshot of the database open, and reads the table in it later. */
export class Reader {
  private view: { rows: string[]; before: boolean } | null = null;

  constructor(
    private readonly client: Connection,
    private readonly tables: Tables,
  ) {}

  async open(): Promise<void> {
    await this.close();
    await this.client.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    this.view = { rows: await this.tables.rowsOf(TWIN), before: !this.tables.changed };
  }

  /**
   * In its snapshot the table is what its twin was, or the server says that the snapshot is too old.
   *
   * @throws Broken otherwise
   */
  async look(): Promise<void> {
    if (this.view === null) await this.open();
    const { rows, before } = this.view!;
    try {
      const seen = await this.tables.rowsOf(TABLE, this.client);
      if (JSON.stringify(seen) !== JSON.stringify(rows))
        throw new Broken(`a snapshot shows ${seen.join(' ')} instead of ${rows.join(' ')}`);
    } catch (error) {
      const stale = (error as { errno?: number }).errno === STALE_VIEW && before && this.tables.changed;
      if (!stale) throw error;
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    if (this.view === null) return;
    this.view = null;
    await this.client.query('ROLLBACK');
  }
}
