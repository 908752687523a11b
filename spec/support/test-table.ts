import createKnex, { type Knex } from 'knex';
import {
  createConnection,
  type Connection as Client,
  type ConnectionOptions,
  type RowDataPacket,
} from 'mysql2/promise';

import { LargeHadronError, largeHadronMigrate, type AlterFunction, type MigrationResult } from '../../lib';
import type { LargeHadronOptions } from '../../lib';
import type { RunningServer } from './servers';

export type Options = Partial<LargeHadronOptions>;

/** A table like many: a counter, text, a number, something nullable, a secondary index. */
const COLUMNS = [
  'id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY',
  'address VARCHAR(100) NOT NULL',
  'size INT NOT NULL DEFAULT 0',
  'note VARCHAR(50) NULL',
  'KEY emails_size_index (size)',
].join(', ');

export interface TestTableOptions {
  /** The table's name. Default `emails`. */
  readonly table?: string;
  /** What stands between the parentheses of CREATE TABLE. */
  readonly columns?: string;
  /** Rows of the default columns: ids from 1, sizes 10 times the id. Default 30; 0 for other columns. */
  readonly rows?: number;
}

let databases = 0;

/** A database of its own with one table and a Knex on it, for one test. */
export class TestTable {
  private readonly clients: Client[] = [];
  private readonly knexes: Knex[] = [];

  private constructor(
    readonly server: RunningServer,
    readonly database: string,
    readonly table: string,
    private admin: Client,
  ) {
    this.knex = this.makeKnex();
  }

  /** The caller's Knex: connects to the database as the account with all privileges. */
  readonly knex: Knex;

  static async create(server: RunningServer, options: TestTableOptions = {}): Promise<TestTable> {
    const { table = 'emails', columns = COLUMNS, rows = columns === COLUMNS ? 30 : 0 } = options;
    const database = `lhm_test_${process.pid}_${++databases}`;
    const admin = await connect(server.connection);
    await admin.query(`CREATE DATABASE ${quote(database)} CHARACTER SET utf8mb4`);
    await admin.query(`USE ${quote(database)}`);
    const test = new TestTable(server, database, table, admin);
    await test.query(`CREATE TABLE ${quote(table)} (${columns}) ENGINE = InnoDB`);
    if (rows > 0) await test.fill(1, rows);
    return test;
  }

  /** A table of the same name on another server, a replica. */
  static async at(server: RunningServer, database: string, table: string): Promise<TestTable> {
    return new TestTable(server, database, table, await connect({ ...server.connection, database }));
  }

  /** The connection that `query` uses, which does not count as lingering. */
  get adminId(): number {
    return this.admin.threadId;
  }

  /** After a restart of the server. */
  async reconnect(): Promise<void> {
    this.admin.destroy();
    this.admin = await connect({ ...this.server.connection, database: this.database });
  }

  /** Rows with the ids `from` to `to` of the default columns; every third has no note. */
  async fill(from: number, to: number): Promise<void> {
    for (let start = from; start <= to; start += 1000) {
      const ids = Array.from({ length: Math.min(1000, to - start + 1) }, (_, i) => start + i);
      const rows = ids.map((id) => [id, `a${id}@example.org`, id * 10, id % 3 === 0 ? null : `note ${id}`]);
      await this.query(`INSERT INTO ${quote(this.table)} (id, address, size, note) VALUES ?`, [rows]);
    }
  }

  /** Runs SQL as the administrator, in the database. */
  async query<R = Record<string, unknown>>(sql: string, values: readonly unknown[] = []): Promise<R[]> {
    const [rows] = await this.admin.query<RowDataPacket[]>(sql, [...values]);
    return rows as unknown as R[];
  }

  /** Sets a global variable of the server for as long as `work` takes. */
  async withGlobal<T>(name: string, value: string, work: () => Promise<T>): Promise<T> {
    const [row] = await this.query<{ was: string | null }>(`SELECT CAST(@@GLOBAL.${name} AS CHAR) AS was`);
    await this.query(`SET GLOBAL ${name} = ${value}`);
    try {
      return await work();
    } finally {
      const was = row?.was ?? null;
      const value = was === null ? 'DEFAULT' : /^\d+(\.\d+)?$/.test(was) ? was : `'${was}'`;
      await this.query(`SET GLOBAL ${name} = ${value}`);
    }
  }

  /** Sets several, by their names in the order given. */
  async withGlobals<T>(variables: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
    const [first, ...others] = Object.entries(variables);
    if (first === undefined) return work();
    return this.withGlobal(...first, () => this.withGlobals(Object.fromEntries(others), work));
  }

  /** One more connection to the database, for an application; closed with the test. */
  async connect(options: ConnectionOptions = {}): Promise<Client> {
    const client = await connect({ ...this.server.connection, database: this.database, ...options });
    this.clients.push(client);
    return client;
  }

  /** One more Knex; destroyed with the test. */
  makeKnex(config: Knex.Config = {}, connection: object = {}): Knex {
    const knex = createKnex({
      client: 'mysql2',
      connection: { ...this.server.connection, database: this.database, ...connection },
      pool: { min: 0, max: 2 },
      ...config,
    });
    this.knexes.push(knex);
    return knex;
  }

  /** What migrations of this test use unless it says otherwise: quietly and without pauses, in the server's mode. */
  get defaults(): LargeHadronOptions {
    const { knex, server } = this;
    return {
      ...{ knex, preset: 'fixture', giveUpAfterMs: false, progress: 'none' },
      ...(server.mode === undefined ? {} : { mode: server.mode }),
    };
  }

  /** Migrates the table, quietly and without pauses, but as patiently as in production. */
  migrate(
    alter: AlterFunction | string,
    options: Options = {},
    table = this.table,
  ): Promise<MigrationResult> {
    return largeHadronMigrate(table, { ...this.defaults, ...options }, alter);
  }

  /** The same, where it is expected to reject. */
  failure(
    alter: AlterFunction | string,
    options: Options = {},
    table = this.table,
  ): Promise<LargeHadronError> {
    return failureOf(this.migrate(alter, options, table));
  }

  /** Rows of a table, in the order of the first column. */
  rows(table = this.table): Promise<Record<string, unknown>[]> {
    return this.query(`SELECT * FROM ${quote(table)} ORDER BY 1`);
  }

  /** SHOW CREATE TABLE. */
  async definition(table = this.table): Promise<string> {
    const [row] = await this.query<Record<string, string>>(`SHOW CREATE TABLE ${quote(table)}`);
    return row?.['Create Table'] ?? row?.['Create View'] ?? row?.['Table'] ?? '';
  }

  /** Names of tables, views and sequences. */
  async tables(): Promise<string[]> {
    const rows = await this.query<{ name: string }>(
      'SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY 1',
      [this.database],
    );
    return rows.map((row) => row.name);
  }

  /** Without that of a state table, which bears its name and goes with it. */
  async triggers(): Promise<string[]> {
    const rows = await this.query<{ name: string }>(
      'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? AND TRIGGER_NAME <> EVENT_OBJECT_TABLE ORDER BY 1',
      [this.database],
    );
    return rows.map((row) => row.name);
  }

  /** Everything in the database: definitions, rows, triggers. */
  async snapshot(): Promise<Record<string, unknown>> {
    const tables: Record<string, unknown> = {};
    for (const table of await this.tables()) {
      const rows = (await this.rows(table)).map((row) => JSON.stringify(row)).sort();
      tables[table] = { definition: await this.definition(table), rows };
    }
    return { tables, triggers: await this.triggers() };
  }

  /** Closes what the test has opened, but for the administrator's connection. */
  async closeClients(): Promise<void> {
    await Promise.all([
      ...this.knexes.splice(0).map((knex) => knex.destroy()),
      ...this.clients.splice(0).map((client) => client.end().catch(() => client.destroy())),
    ]);
  }

  /** A connection that a test has cut may still be creating something on the server's side. */
  private async untilAlone(): Promise<void> {
    for (let round = 0; round < 400; round++) {
      const rows = await this.query<{ Id: number; db: string | null }>('SHOW PROCESSLIST');
      if (!rows.some(({ Id, db }) => db === this.database && Id !== this.adminId)) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async drop(): Promise<void> {
    await this.closeClients();
    await this.query('UNLOCK TABLES');
    await this.untilAlone();
    await this.query(`DROP DATABASE IF EXISTS ${quote(this.database)}`);
    await this.admin.end();
  }
}

/** The error of a migration that must fail. */
export async function failureOf(work: Promise<unknown>): Promise<LargeHadronError> {
  const error: unknown = await work.then(
    () => new Error('the migration succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof LargeHadronError) return error;
  throw error;
}

/** Rows without some of their columns. */
export function without(
  rows: readonly Record<string, unknown>[],
  ...columns: string[]
): Record<string, unknown>[] {
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !columns.includes(name))),
  );
}

export function quote(name: string): string {
  return '`' + name.replaceAll('`', '``') + '`';
}

async function connect(options: ConnectionOptions): Promise<Client> {
  const client = await createConnection({ dateStrings: true, ...options });
  // A connection that a test kills must not end the whole process.
  client.on('error', () => undefined);
  return client;
}
