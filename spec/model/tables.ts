import type { Connection } from 'mysql2/promise';
import { DmlSql } from './dml';
import { alterOf, createSql, type Shape } from './shape';

export const TABLE = 'emails';
export const TWIN = 'twin';

/** A promise that was broken. */
export class Broken extends Error {}

/** The table that is migrated and its twin, which nobody migrates, as an administrator sees them. */
export class Tables {
  private swapped = false;

  constructor(
    private readonly shape: Shape,
    private readonly admin: Connection,
  ) {}

  /** In a database of their own, of which nothing is left from before. */
  async create(database: string): Promise<void> {
    await this.admin.query(`DROP DATABASE IF EXISTS ${database}`);
    await this.admin.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
    await this.admin.query(`USE ${database}`);
    for (const table of [TABLE, TWIN]) await this.admin.query(createSql(this.shape, table));
  }

  /** Whether they have their new definition. */
  get changed(): boolean {
    return this.swapped;
  }

  sql(table: string): DmlSql {
    return new DmlSql(this.shape, table, this.changed);
  }

  /** The rows that a client sees, each as one text. Default: those that are committed. */
  async rowsOf(table: string, client = this.admin): Promise<string[]> {
    return texts(client, `SELECT ${this.sql(table).columns} FROM ${table}`);
  }

  /** Whether committed rows break the new definition's rule right now. */
  async collides(): Promise<boolean> {
    const twice = `SELECT loose FROM ${TWIN} WHERE loose IS NOT NULL GROUP BY loose HAVING COUNT(*) > 1`;
    return (await texts(this.admin, twice)).length > 0;
  }

  /** After the swap the twin is what a native ALTER makes of it. */
  async follow(): Promise<void> {
    this.swapped = true;
    await this.admin.query(`ALTER TABLE ${TWIN} ${alterOf(this.shape)}`).catch((error: unknown) => {
      throw new Broken(`a native ALTER fails: ${String(error)}`);
    });
  }

  /** @throws Broken when they differ in their definition or in any row, or when something of the library is left */
  async compare(): Promise<void> {
    const [definition, wanted] = [await this.definition(TABLE), await this.definition(TWIN)];
    if (definition !== wanted) throw new Broken(`${definition}\ninstead of\n${wanted}`);
    const [rows, expected] = [await this.all(TABLE), await this.all(TWIN)];
    if (rows !== expected) throw new Broken(`rows\n${rows}\ninstead of\n${expected}`);
    const left = await texts(
      this.admin,
      `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME REGEXP '_lhm[cnjsrx]'
        UNION ALL SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()`,
    );
    if (left.length > 0) throw new Broken(`left over: ${left.join(', ')}`);
  }

  kill(connection: number): Promise<unknown> {
    return this.admin.query(`KILL ${connection}`).catch(() => undefined);
  }

  close(): void {
    this.admin.destroy();
  }

  private async definition(table: string): Promise<string> {
    const [created = ''] = await texts(this.admin, `SHOW CREATE TABLE ${table}`);
    const [, text] = JSON.parse(created) as [string, string];
    return text.replace(table, 'it').replace(/ AUTO_INCREMENT=\d+/, '');
  }

  private async all(table: string): Promise<string> {
    return (await texts(this.admin, `SELECT * FROM ${table}`)).join('\n');
  }
}

async function texts(client: Connection, sql: string): Promise<string[]> {
  const [rows] = await client.query(sql);
  return (rows as unknown[]).map((row) => JSON.stringify(row)).sort();
}
