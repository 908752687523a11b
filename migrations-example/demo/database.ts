import { createConnection, type Connection as Client, type RowDataPacket } from 'mysql2/promise';
import type { RunningServer } from '../../spec/support/servers';

type Connection = RunningServer['connection'];

/** The demo's own database. */
export class Database {
  /** For the knexfile. */
  readonly url: string;

  constructor(
    readonly connection: Connection,
    readonly name: string,
  ) {
    const { host, port, user, password } = connection;
    const account = [user, password].map(encodeURIComponent).join(':');
    this.url = `mysql://${account}@${host.includes(':') ? `[${host}]` : host}:${port}/${name}`;
  }

  create(): Promise<void> {
    return this.run('CREATE DATABASE ??');
  }

  drop(): Promise<void> {
    return this.run('DROP DATABASE IF EXISTS ??');
  }

  /** The migrations that knex has noted as done, in their order. */
  migrations(): Promise<string[]> {
    return this.list('SELECT name AS v FROM ??.knex_migrations ORDER BY id', [this.name]);
  }

  columns(table: string): Promise<string[]> {
    return this.list(
      'SELECT column_name AS v FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position',
      [this.name, table],
    );
  }

  /** Tables and triggers. */
  async objects(): Promise<{ tables: string[]; triggers: string[] }> {
    return {
      tables: await this.list(
        'SELECT table_name AS v FROM information_schema.tables WHERE table_schema = ? ORDER BY v',
        [this.name],
      ),
      triggers: await this.list(
        'SELECT trigger_name AS v FROM information_schema.triggers WHERE trigger_schema = ? ORDER BY v',
        [this.name],
      ),
    };
  }

  private run(sql: string): Promise<void> {
    return this.withClient(async (client) => {
      await client.query(sql, [this.name]);
    });
  }

  private list(sql: string, values: readonly string[]): Promise<string[]> {
    return this.withClient(async (client) => {
      const [rows] = await client.query<RowDataPacket[]>(sql, [...values]);
      return rows.map((row) => String(row['v']));
    });
  }

  private async withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await createConnection({ ...this.connection, connectTimeout: 10_000 });
    // Without a listener a lost connection would end the process.
    client.on('error', () => undefined);
    try {
      return await work(client);
    } finally {
      client.destroy();
    }
  }
}
