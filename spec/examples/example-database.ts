import { createConnection, type Connection as Client, type RowDataPacket } from 'mysql2/promise';
import type { RunningServer } from '../support/servers';

const OLD_TABLE = /_lhmo_\d+$/;

const DIGIT = `(SELECT 0 AS d UNION SELECT ${[1, 2, 3, 4, 5, 6, 7, 8, 9].join(' UNION SELECT ')})`;

/** A database of its own for one test, and what the test wants to know about it. */
export class ExampleDatabase {
  readonly url: string;

  private constructor(
    private readonly client: Client,
    { host, port, user, password }: RunningServer['connection'],
    readonly name: string,
  ) {
    this.url = `mysql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${name}`;
  }

  static async create(server: RunningServer, name: string): Promise<ExampleDatabase> {
    const client = await createConnection({ ...server.connection, supportBigNumbers: true });
    client.on('error', () => undefined);
    await client.query(`DROP DATABASE IF EXISTS ${name}`);
    await client.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
    await client.query(`USE ${name}`);
    return new ExampleDatabase(client, server.connection, name);
  }

  async drop(): Promise<void> {
    await this.client.query(`DROP DATABASE ${this.name}`);
    await this.client.end();
  }

  async run(sql: string): Promise<void> {
    await this.client.query(sql);
  }

  /** The first column of each row. */
  async list(sql: string): Promise<string[]> {
    const [rows] = await this.client.query<RowDataPacket[]>({ sql, rowsAsArray: true });
    return rows.map((row) => String((row as unknown as unknown[])[0]));
  }

  /** Inserts rows with a name and a note that a careless copy would damage, and a gap in their ids. */
  async fill(table: string, rows: number): Promise<void> {
    await this.run(
      `INSERT INTO ${table} (id, name, note) SELECT n + IF(n > 1000, 5000, 0), CONCAT('Name ', n, ' ŽLUŤ 🐎'),
         IF(n MOD 3 = 0, NULL, CONCAT('it''s \\\\ ', n))
       FROM (SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
             FROM ${DIGIT} a, ${DIGIT} b, ${DIGIT} c, ${DIGIT} e, ${DIGIT} f) AS numbers
       WHERE n <= ${rows}`,
    );
  }

  /** Changes when any of these columns does, in any row. */
  async fingerprint(table: string): Promise<string> {
    const [value] = await this.list(
      `SELECT CONCAT_WS(' ', COUNT(*), COUNT(note), SUM(id), SUM(CRC32(CONCAT_WS('|', id, name, note)))) FROM ${table}`,
    );
    return value!;
  }

  columns(table: string): Promise<string[]> {
    return this.list(`SHOW COLUMNS FROM ${table}`);
  }

  indexes(table: string): Promise<string[]> {
    return this.list(
      `SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = '${this.name}' AND table_name = '${table}' ORDER BY 1`,
    );
  }

  /** The originals that migrations have kept. */
  async oldTables(): Promise<string[]> {
    return (await this.list('SHOW TABLES')).filter((name) => OLD_TABLE.test(name));
  }

  /** All other tables, and triggers. */
  async others(): Promise<string[]> {
    const tables = (await this.list('SHOW TABLES')).filter((name) => !OLD_TABLE.test(name));
    return [...tables.sort(), ...(await this.list('SHOW TRIGGERS'))];
  }

  /** Ids of everybody else's connections to it. */
  async connections(): Promise<string[]> {
    return this.list(
      `SELECT id FROM information_schema.processlist WHERE db = '${this.name}' AND id <> CONNECTION_ID()`,
    );
  }

  async migrations(): Promise<string[]> {
    return this.list('SELECT name FROM knex_migrations ORDER BY id');
  }

  /** Knex's lock, which would keep the next deploy from migrating. */
  async isLocked(): Promise<boolean> {
    return (await this.list('SELECT is_locked FROM knex_migrations_lock')).join() !== '0';
  }
}
