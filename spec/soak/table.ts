import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import type { RunningServer } from '../support/servers';
import { MIGRATING } from './account';
import type { Standing } from './judge';
import { MARK } from './plan';
import { OWN_TRIGGER } from './relations';

const PATIENCE_MS = 60_000;
const BETWEEN_MS = 100;

/**
 * Ids of the migrations' connections to the database. SHOW, because the view in information_schema fails on MySQL when any
 * connection's statement holds a character beyond the BMP (3854).
 */
export async function connectionsTo(sql: Connection, database: string): Promise<string[]> {
  return (await processes(sql, database)).map((row) => String(row['Id']));
}

/** Those that may be killed: a RENAME that is killed half-way costs MariaDB the table's triggers, whoever ran it. */
export async function killable(sql: Connection, database: string): Promise<string[]> {
  const rows = await processes(sql, database);
  return rows.filter((row) => !/^RENAME/.test(String(row['Info']))).map((row) => String(row['Id']));
}

async function processes(sql: Connection, database: string): Promise<RowDataPacket[]> {
  const [rows] = await sql.query<RowDataPacket[]>('SHOW PROCESSLIST');
  return rows.filter((row) => row['User'] === MIGRATING.user && row['db'] === database);
}

/** The migrated table as an administrator sees it, on a connection for each look: the server may have gone meanwhile. */
export class SoakedTable {
  constructor(
    private readonly server: RunningServer,
    readonly database: string,
    readonly table: string,
  ) {}

  async standing(): Promise<Standing> {
    return this.with(async (sql) => {
      const [columns] = await sql.query<RowDataPacket[]>(
        'SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?',
        [this.database, this.table, MARK],
      );
      const [helpers] = await sql.query<RowDataPacket[]>(
        `SELECT TABLE_NAME AS name FROM information_schema.TABLES
          WHERE TABLE_SCHEMA = ? AND (TABLE_NAME REGEXP '_lhm[cnjsrx](_[0-9]+)?$' OR TABLE_COMMENT LIKE '%sentry%')
         UNION ALL SELECT TRIGGER_NAME FROM information_schema.TRIGGERS
          WHERE TRIGGER_SCHEMA = ? AND EVENT_OBJECT_TABLE <> TRIGGER_NAME AND TRIGGER_NAME NOT REGEXP '^${OWN_TRIGGER}'`,
        [this.database, this.database],
      );
      return { changed: columns.length > 0, helpers: helpers.map((row) => String(row['name'])) };
    });
  }

  /** Resolves when no connection to the database is left; false where that takes too long. */
  async forgotten(): Promise<boolean> {
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until;) {
      const left = await this.with((sql) => connectionsTo(sql, this.database));
      if (left.length === 0) return true;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
    return false;
  }

  async drop(): Promise<void> {
    await this.with((sql) => sql.query(`DROP DATABASE IF EXISTS ${this.database}`));
  }

  private async with<T>(work: (sql: Connection) => Promise<T>): Promise<T> {
    const sql = await createConnection({ ...this.server.connection, connectTimeout: 10_000 });
    sql.on('error', () => undefined);
    try {
      return await work(sql);
    } finally {
      sql.destroy();
    }
  }
}
