import createKnex, { type Knex } from 'knex';
import { createConnection, type Connection as Client, type RowDataPacket } from 'mysql2/promise';

import { BinlogStream, type BinlogStreamOptions } from '../../../lib/binlog/binlog-stream';
import type { BinlogEvent } from '../../../lib/binlog/binlog-events';
import { currentPosition, type BinlogPosition } from '../../../lib/binlog/binlog-position';
import type { ColumnFacts, StreamedTable } from '../../../lib/binlog/streamed-table';
import type { Database } from '../../../lib/database/database';
import { connectDatabase } from '../../../lib/database/mysql-database';
import type { Session } from '../../../lib/database/session';
import { until } from '../test-table-process-list';
import { startServer, type Connection, type Flavor, type RunningServer } from '../servers';

export const SCHEMA = 'streamed';

export type Rows = Extract<BinlogEvent, { kind: 'rows' }>;

/** A server with a table for marks, a client that writes, and the library's own way to the server. */
export class BinlogFixture {
  private marks = 0;
  private readonly streams = new Set<BinlogStream>();

  private constructor(
    readonly server: RunningServer,
    public sql: Client,
    readonly knex: Knex,
    readonly database: Database,
    public session: Session,
  ) {}

  static async start(
    flavor: Flavor,
    args: readonly string[] = [],
    more: object = {},
  ): Promise<BinlogFixture> {
    const server = await startServer(flavor, { args });
    const sql = await connect(server.connection);
    await sql.query(`CREATE DATABASE IF NOT EXISTS ${SCHEMA} CHARACTER SET utf8mb4`);
    await sql.query(`USE ${SCHEMA}`);
    await sql.query('CREATE TABLE IF NOT EXISTS mark (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB');
    const knex = createKnex({
      client: 'mysql2',
      connection: { ...server.connection, database: SCHEMA, ...more },
    });
    const database = await connectDatabase(knex);
    return new BinlogFixture(server, sql, knex, database, await database.open('spec'));
  }

  get flavor(): Flavor {
    return this.server.flavor;
  }

  /** After the server was started anew. */
  async reconnect(): Promise<void> {
    this.sql.destroy();
    this.sql = await connect(this.server.connection);
    await this.sql.query(`USE ${SCHEMA}`);
    await this.database.reopen(this.session);
  }

  async query<R = Record<string, unknown>>(sql: string, values: readonly unknown[] = []): Promise<R[]> {
    const [rows] = await this.sql.query<RowDataPacket[]>(sql, [...values]);
    return rows as unknown as R[];
  }

  position(): Promise<BinlogPosition> {
    return currentPosition(this.session);
  }

  /** All of the table's columns are wanted, or those named. */
  async table(name: string, wanted?: readonly string[]): Promise<StreamedTable> {
    const columns = await this.query<ColumnFacts>(
      'SELECT COLUMN_NAME AS name, DATA_TYPE AS dataType, COLUMN_TYPE AS columnType, CHARACTER_SET_NAME AS charset' +
        ' FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION',
      [SCHEMA, name],
    );
    return {
      key: name,
      schema: SCHEMA,
      table: name,
      columns,
      wanted: wanted ?? columns.map((column) => column.name),
    };
  }

  /** A stream of these tables and of the marks, begun at `from`. */
  async stream(
    tables: readonly StreamedTable[],
    from: BinlogPosition,
    options: Partial<BinlogStreamOptions> = {},
  ): Promise<BinlogStream> {
    const stream = new BinlogStream({
      database: this.database,
      tables: [...tables, await this.table('mark')],
      ...options,
    });
    this.streams.add(stream);
    await stream.start(from);
    return stream;
  }

  /** Writes a mark, by which everything before it can be known to have come. */
  async mark(): Promise<number> {
    await this.query(`INSERT INTO mark VALUES (${++this.marks})`);
    return this.marks;
  }

  /** Everything that is told up to a mark, marks and heartbeats left out. */
  async upTo(stream: BinlogStream, mark: number): Promise<BinlogEvent[]> {
    const events: BinlogEvent[] = [];
    for await (const batch of stream) {
      events.push(...batch.events);
      const rows = batch.events.filter(
        (event): event is Rows => event.kind === 'rows' && event.table === 'mark',
      );
      if (rows.some((event) => event.rows.some(({ after }) => after?.[0] === String(mark)))) break;
    }
    return withoutMarks(events.filter((event) => event.kind !== 'heartbeat'));
  }

  /**
   * Removes the files before this one. MariaDB keeps one, without a word, until its background thread has seen that InnoDB
   * has flushed what it holds: about once a second.
   */
  async purgeTo(file: string): Promise<void> {
    await until(`the end of the files before ${file}`, async () => {
      await this.query(`PURGE BINARY LOGS TO '${file}'`);
      const [first] = await this.query<{ Log_name: string }>('SHOW BINARY LOGS');
      return first?.Log_name === file ? true : undefined;
    });
  }

  /** Also one that was not expected to begin: its reader would be taken for somebody else's. */
  closeStreams(): void {
    for (const stream of this.streams) stream.close();
    this.streams.clear();
  }

  async end(): Promise<void> {
    this.closeStreams();
    await this.database.close();
    await this.knex.destroy();
    this.sql.destroy();
    await this.server.stop();
  }
}

async function connect(connection: Connection): Promise<Client> {
  const client = await createConnection({
    ...connection,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
  client.on('error', () => undefined);
  return client;
}

/** Transactions that hold a mark and nothing else. */
function withoutMarks(events: readonly BinlogEvent[]): BinlogEvent[] {
  const kept: BinlogEvent[] = [];
  let transaction: BinlogEvent[] = [];
  for (const event of events) {
    if (event.kind === 'rows' && event.table === 'mark') continue;
    transaction.push(event);
    if (event.kind === 'begin') continue;
    const [first] = transaction;
    const ended = ['commit', 'rollback', 'xa-prepare'].includes(event.kind);
    if (first?.kind === 'begin' && !ended) continue;
    if (!(first?.kind === 'begin' && transaction.length === 2 && ended)) kept.push(...transaction);
    transaction = [];
  }
  // A batch may end within the transaction of the last mark.
  return [...kept, ...(transaction.length === 1 && transaction[0]?.kind === 'begin' ? [] : transaction)];
}

export function rowsOf(events: readonly BinlogEvent[], table: string): Rows[] {
  return events.filter((event): event is Rows => event.kind === 'rows' && event.table === table);
}
