import type { Database } from '../database/database';
import { debugLog } from '../events/debug-log';
import { BatchBuilder } from './batch-builder';
import { BinlogConnectionLost, readingError, unreadable } from './binlog-errors';
import type { BinlogBatch } from './binlog-events';
import type { BinlogPosition } from './binlog-position';
import { DumpConnection } from './dump-connection';
import { LogFiles } from './log-files';
import { LogReader, type RenamesIn } from './log-reader';
import { payloadEvents } from './payload-event';
import type { StreamedTable } from './streamed-table';
import { StreamedTables } from './streamed-tables';

const log = debugLog('binlog');

export interface BinlogStreamOptions {
  readonly database: Database;
  readonly tables: readonly StreamedTable[];
  /** Known to the server by it; nobody else may have it. Default: a random one of those above 2^31 that is free. */
  readonly serverId?: number;
  /** The server says this often that it is there when it has nothing to send; in ms, default 1000. */
  readonly heartbeatMs?: number;
  /** So many heartbeats must be missing before the connection is given up; default 15. */
  readonly silentHeartbeats?: number;
  /** Bytes of events that may wait before the server is made to wait; default 4 MiB. One event is taken in any case. */
  readonly bufferBytes?: number;
  /** Rows after which a batch is full; default 1000. One event's rows are not divided. */
  readonly batchRows?: number;
  /** What a statement of the log renames and is to be followed; default: nothing. */
  readonly renamesIn?: RenamesIn;
}

/** Farthest place that can be asked for: four bytes of the request. */
const MOST_OFFSET = 2 ** 32 - 1;

/** Where the first event of a file stands. */
const FIRST_OFFSET = 4;

/** Reads the server's binary log and tells, in its order, what happens to the wanted tables. */
export class BinlogStream {
  private readonly tables: StreamedTables;
  private readonly files = new LogFiles();
  private connection: DumpConnection | null = null;
  private batches: AsyncGenerator<BinlogBatch, void> | null = null;
  private failure: Error | null = null;
  private closed = false;
  private reached: BinlogPosition | null = null;
  private serverId: number | null;

  constructor(private readonly options: BinlogStreamOptions) {
    const { foldsTableNames, server } = options.database;
    this.tables = new StreamedTables(options.tables, foldsTableNames, server.flavor === 'mariadb');
    this.serverId = options.serverId ?? null;
  }

  /** Of the batch that `next` gave last: where to start again once it is dealt with. null before `start`. */
  get position(): BinlogPosition | null {
    return this.reached;
  }

  /** Whether a wanted table is called otherwise than at first, where the log was read last. */
  isRenamed(key: string): boolean {
    return this.tables.isRenamed(key);
  }

  /** What the connection is known by for as long as the server has it, whatever number it bears; null when there is none. */
  get lifeLock(): string | null {
    return this.connection?.lifeLock ?? null;
  }

  /** The server's id of the connection, for the process list; null when there is none. */
  get connectionId(): number | null {
    return this.connection?.id ?? null;
  }

  /**
   * Connects, and resolves once the server sends. To be called again after BinlogConnectionLost: a transaction whose end was not
   * told comes again from its beginning. What the tables looked like is remembered.
   *
   * @throws BinlogConnectionLost
   * @throws Refusal LHM_BINLOG_OFF, LHM_BINLOG_PURGED, LHM_BINLOG_UNREADABLE, LHM_MISSING_PRIVILEGE
   */
  async start(from: BinlogPosition): Promise<void> {
    if (this.closed) throw new Error('the stream was closed');
    this.abandon();
    if (from.offset > MOST_OFFSET) {
      throw unreadable(`a server cannot be asked for what stands beyond 4 GiB in a file (${from.file}).`);
    }
    const connection = await DumpConnection.open(this.options.database, {
      from: { ...from, offset: Math.max(from.offset, FIRST_OFFSET) },
      serverId: this.serverId,
      heartbeatMs: this.options.heartbeatMs ?? 1000,
      silentHeartbeats: this.options.silentHeartbeats ?? 15,
      bufferBytes: this.options.bufferBytes ?? 4 * 1024 * 1024,
    });
    if (this.isClosed()) {
      connection.close();
      throw new Error('the stream was closed');
    }
    log(
      'reading from %s:%d as server %d on connection %d',
      from.file,
      from.offset,
      connection.serverId,
      connection.id,
    );
    // The server ends an older connection of the same reader by it, should it still be there.
    this.serverId = connection.serverId;
    this.connection = connection;
    this.failure = null;
    this.reached = from;
    this.tables.goBackTo(from);
    this.batches = this.read(connection, from);
  }

  /**
   * The next batch; waits for it. null once the stream was closed.
   *
   * @throws BinlogConnectionLost, Refusal — after everything that came before, and again until `start`
   */
  async next(): Promise<BinlogBatch | null> {
    if (this.closed) return null;
    if (this.failure !== null) throw this.failure;
    if (this.batches === null) throw new Error('the stream was not started');
    try {
      const { value } = await this.batches.next();
      if (this.isClosed() || value === undefined) return null;
      this.reached = value.position;
      return value;
    } catch (error) {
      this.failure = this.described(error);
      log('ended: %s', this.failure.message);
      this.connection?.close();
      throw this.failure;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<BinlogBatch, void> {
    for (;;) {
      const batch = await this.next();
      if (batch === null) return;
      yield batch;
    }
  }

  /** Ends the connection at once. Never throws. */
  close(): void {
    this.closed = true;
    this.abandon();
  }

  private abandon(): void {
    this.connection?.close();
    this.connection = null;
    void this.batches?.return().catch(() => undefined);
    this.batches = null;
  }

  /** Anything may have closed it while something was waited for. */
  private isClosed(): boolean {
    return this.closed;
  }

  private async *read({ queue }: DumpConnection, from: BinlogPosition): AsyncGenerator<BinlogBatch, void> {
    const batch = new BatchBuilder(this.options.batchRows ?? 1000);
    const reader = new LogReader(from, this.files, this.tables, batch, this.options.renamesIn);
    for (;;) {
      const event = queue.shift();
      if (event === undefined) {
        if (!batch.empty) yield batch.take(reader.boundary);
        if (!(await queue.wait())) return;
        continue;
      }
      const payload = reader.outer(event);
      if (payload !== null) {
        for await (const events of payloadEvents(payload)) {
          for (const inner of events) {
            reader.inner(inner);
            if (batch.full) yield batch.take(reader.boundary);
          }
        }
      }
      if (batch.full) yield batch.take(reader.boundary);
    }
  }

  /** An event that ends too early, or is not what it says, has no error of its own. */
  private described(error: unknown): Error {
    if (error instanceof RangeError || (error as { code?: unknown }).code === 'ERR_BUFFER_OUT_OF_BOUNDS') {
      return unreadable(`an event is not what it says (${(error as Error).message}).`, error);
    }
    return error instanceof BinlogConnectionLost ? error : readingError(error);
  }
}
