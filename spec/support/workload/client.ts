import { createConnection, type Connection as Driver, type ResultSetHeader } from 'mysql2/promise';
import type { Connection, Isolation } from './options';
import type { Cell } from './row';

export interface ClientSettings {
  readonly connection: Connection;
  readonly isolation: Isolation;
  /** Server-side prepared statements, which have to survive a table changing under them. */
  readonly prepared: boolean;
  /** Called after each statement, however it ended. */
  readonly onStatement: (sql: string, ms: number) => void;
}

/** One connection of the application. Cells come back as the workload compares them: dates and JSON as text. */
export class Client {
  /** The statement that is running, to say who is stuck on what. */
  running: string | null = null;

  private constructor(
    readonly driver: Driver,
    readonly settings: ClientSettings,
  ) {
    // Without a listener a connection that dies while idle takes the process with it. The next statement reports it.
    driver.on('error', () => undefined);
  }

  static async open(settings: ClientSettings): Promise<Client> {
    const driver = await createConnection({
      ...settings.connection,
      charset: 'utf8mb4',
      connectTimeout: 10_000,
      supportBigNumbers: true,
      dateStrings: true,
      jsonStrings: true,
      rowsAsArray: true,
    });
    const client = new Client(driver, settings);
    // A server may be configured otherwise: the ledger has to know when a statement commits, and pauses are long.
    await client.run('SET SESSION autocommit = 1, wait_timeout = 600');
    await client.run(`SET SESSION TRANSACTION ISOLATION LEVEL ${settings.isolation}`);
    return client;
  }

  async rows(sql: string, values: readonly Cell[] = []): Promise<Cell[][]> {
    return (await this.#send(sql, values)) as Cell[][];
  }

  async write(sql: string, values: readonly Cell[] = []): Promise<ResultSetHeader> {
    return (await this.#send(sql, values)) as ResultSetHeader;
  }

  /** For statements that cannot be prepared. */
  async run(sql: string): Promise<void> {
    await this.#timed(sql, () => this.driver.query(sql));
  }

  async #send(sql: string, values: readonly Cell[]): Promise<unknown> {
    if (!this.settings.prepared) return this.#timed(sql, () => this.driver.query(sql, [...values]));
    // The driver would send numbers as DOUBLE.
    const texts = values.map((value) => (typeof value === 'number' ? String(value) : value));
    return this.#timed(sql, () => this.driver.execute(sql, texts));
  }

  async #timed(sql: string, send: () => Promise<[unknown, unknown]>): Promise<unknown> {
    const from = performance.now();
    this.running = sql;
    try {
      return (await send())[0];
    } finally {
      this.running = null;
      this.settings.onStatement(sql, performance.now() - from);
    }
  }

  /** Never rejects and never waits: the server notices by itself. */
  destroy(): void {
    this.driver.destroy();
  }

  async end(): Promise<void> {
    await this.driver.end().catch(() => this.driver.destroy());
  }
}
