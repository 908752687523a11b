import type { Connection, RowDataPacket } from 'mysql2/promise';

import type { RunningServer } from '../servers';
import { expectSame } from '../same-tables';
import { TestTable } from '../test-table';

const ROWS = 60;

/** The row that is inserted at the swap. */
const LAST = 200;

const COLUMNS = [
  'id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY',
  'address VARCHAR(100) NOT NULL',
  'size INT NOT NULL DEFAULT 0',
  'c CHAR(10) NOT NULL',
  "e ENUM('a','b','') NULL",
  'moment DATETIME(3) NULL',
  'day DATE NULL',
  'at TIMESTAMP NULL',
  'u INT UNSIGNED NOT NULL DEFAULT 0',
  'note VARCHAR(50) NULL',
  'UNIQUE KEY by_address (address)',
].join(', ');

const VALUES = ['address', 'size', 'c', 'e', 'moment', 'day', 'at', 'u', 'note'];

/** An application's session with the server's settings; it writes to a table and to a twin that is not migrated. */
export class Application {
  private constructor(
    readonly test: TestTable,
    private readonly turns: number,
  ) {}

  private sql: Connection | null = null;

  /** The tables, made under the server's usual settings. */
  static async create(server: RunningServer, turns: number): Promise<Application> {
    const test = await TestTable.create(server, { columns: COLUMNS });
    // What strict modes refuse is there already.
    await test.query("SET SESSION sql_mode = '', time_zone = '+00:00'");
    const rows = Array.from({ length: ROWS }, (_, i) =>
      i % 5 === 0 ? `(${row(i + 1, "'0000-00-00'")})` : `(${row(i + 1)})`,
    );
    await test.query(`INSERT INTO emails (id, ${VALUES.join(', ')}) VALUES ${rows.join(', ')}`);
    await test.query('CREATE TABLE twin LIKE emails');
    await test.query('INSERT INTO twin SELECT * FROM emails');
    return new Application(test, turns);
  }

  /** All sorts of changes in rows that lie all over the table. */
  async write(turn: number): Promise<void> {
    const own = Array.from({ length: Math.floor(ROWS / this.turns) }, (_, i) => 1 + turn + i * this.turns);
    const [updated = 0, deleted = 0, again = 0, moved = 0, taking = 0, replaced = 0] = own;
    await this.both([
      `UPDATE ! SET size = size + 1, note = 'it''s', day = '2024-02-29' WHERE id = ${updated}`,
      `DELETE FROM ! WHERE id = ${deleted}`,
      `DELETE FROM ! WHERE id = ${again}`,
      `INSERT INTO ! (id, ${VALUES.join(', ')}) VALUES (${row(again)})`,
      `UPDATE ! SET id = ${2000 - turn} WHERE id = ${moved}`,
      `UPDATE ! SET id = ${deleted}, c = 'taken' WHERE id = ${taking}`,
      `REPLACE INTO ! (id, ${VALUES.join(', ')}) VALUES (${row(replaced)})`,
      `INSERT INTO ! (${VALUES.join(', ')}) VALUES (${row(100 + turn).replace(/^\d+, /, '')})`,
      `INSERT INTO ! (id, address, c) VALUES (${replaced}, 'x', 'y') ON DUPLICATE KEY UPDATE size = 77`,
      `UPDATE ! SET moment = NULL, e = NULL WHERE address = 'a${updated}@example.org'`,
    ]);
  }

  /** In a connection of its own, because it may have to wait. */
  async insertLast(): Promise<void> {
    const sql = await connect(this.test);
    const insert = `INSERT INTO ! (${VALUES.join(', ')}) VALUES (${row(LAST).replace(/^\d+, /, '')})`;
    await transactions(sql, [insert]);
  }

  /** What the same change makes of the twin, natively, in a session like the application's. */
  async alterTwin(alter: string): Promise<void> {
    const sql = await connect(this.test);
    // Dates of zeros that are there already are copied, where a native ALTER fails over them.
    const [[row]] = await sql.query<RowDataPacket[]>('SELECT @@SESSION.sql_mode AS modes');
    const modes = String(row?.['modes']).split(',');
    const kept = modes.filter((mode) => !/^(NO_ZERO_(IN_)?DATE|TRADITIONAL)$/.test(mode));
    await sql.query(`SET SESSION sql_mode = '${kept.join(',')}'`);
    // One that is not possible fails natively, while a copy needs none.
    if (this.test.server.flavor === 'mariadb') await sql.query("SET SESSION alter_algorithm = 'DEFAULT'");
    await sql.query(`ALTER TABLE twin ${alter}`);
  }

  /** The tables are the same, and go on counting behind all numbers that were given out. */
  async expectSame(): Promise<void> {
    await expectSame(this.test, 'emails', 'twin');
  }

  private async both(statements: readonly string[]): Promise<void> {
    this.sql ??= await connect(this.test);
    await transactions(this.sql, statements);
  }
}

/** One for each table; they end as they are told to, whatever the server's completion_type. */
async function transactions(sql: Connection, statements: readonly string[]): Promise<void> {
  for (const table of ['emails', 'twin']) {
    await sql.query('START TRANSACTION');
    try {
      for (const statement of statements) await sql.query(statement.replaceAll('!', table));
    } catch (error) {
      // What it holds would keep the migration from cleaning up.
      await sql.query('ROLLBACK AND NO CHAIN NO RELEASE');
      throw error;
    }
    await sql.query('COMMIT AND NO CHAIN NO RELEASE');
  }
}

/** What an application has to say for itself under such settings to be able to write at all. */
async function connect(test: TestTable): Promise<Connection> {
  const sql = await test.connect();
  await sql.query('SET SESSION TRANSACTION READ WRITE');
  if (test.server.flavor === 'mariadb') await sql.query('SET SESSION max_statement_time = 0');
  return sql;
}

function row(i: number, day = "'2024-05-06'"): string {
  const maybe = (sql: string): string => (i % 7 === 3 ? 'NULL' : sql);
  return [
    String(i),
    `'a${i}@example.org'`,
    String(i * 10),
    // As long as the column is before the change, when it may be written after it.
    i === LAST ? "'c200200200'" : `'c${i}'`,
    maybe(`'${'ab'.charAt(i % 2)}'`),
    maybe(`'2024-05-06 07:08:09.${500 + i}'`),
    maybe(day),
    maybe(`'2024-07-06 07:08:${10 + (i % 40)}'`),
    String(i),
    maybe(`'Zoë ${i}'`),
  ].join(', ');
}
