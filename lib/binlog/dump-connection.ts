import type { Database } from '../database/database';
import type { Wire } from '../database/wire';
import { errorNumber } from '../database/server-error';
import { clock } from '../util/clock';
import { connectionLost, readingError } from './binlog-errors';
import type { BinlogPosition } from './binlog-position';
import { DumpCommand } from './dump-command';
import { freeServerId, prepareDump } from './dump-settings';
import { EventQueue } from './event-queue';

export interface DumpSettings {
  readonly from: BinlogPosition;
  /** null: one that is free. */
  readonly serverId: number | null;
  readonly heartbeatMs: number;
  readonly silentHeartbeats: number;
  readonly bufferBytes: number;
}

/** A connection on which the server sends its log. */
export class DumpConnection {
  readonly queue: EventQueue;
  private readonly watch: ReturnType<typeof clock.setInterval>;
  private bytesSeen = 0;
  private silent = 0;
  private events = 0;

  private constructor(
    private readonly wire: Wire,
    readonly serverId: number,
    settings: DumpSettings,
  ) {
    const { connection } = wire;
    this.queue = new EventQueue(settings.bufferBytes, {
      stop: () => connection.pause(),
      resume: () => {
        this.silent = 0;
        connection.resume();
      },
    });
    connection.on('error', (error) => this.fail(connectionLost(error)));
    connection.on('end', () => this.fail(connectionLost(new Error('the server closed it'))));
    this.watch = clock.setInterval(() => this.look(settings.silentHeartbeats), settings.heartbeatMs);
    connection.addCommand(
      new DumpCommand(settings.from, serverId, {
        event: (event) => {
          this.events++;
          this.queue.push(event);
        },
        failed: (error) => this.fail(readingError(error)),
      }),
    );
  }

  /**
   * Connects, and resolves once the server has begun to send.
   *
   * @throws BinlogConnectionLost, Refusal
   */
  static async open(database: Database, settings: DumpSettings): Promise<DumpConnection> {
    let wire: Wire | undefined;
    try {
      wire = await database.openWire('binlog');
      await prepareDump(wire.session, database.server, settings.heartbeatMs);
      const serverId = settings.serverId ?? (await freeServerId(wire.session));
      const connection = new DumpConnection(wire, serverId, settings);
      await connection.queue.wait();
      return connection;
    } catch (error) {
      wire?.cut();
      throw notLetIn(error) ? error : readingError(error);
    }
  }

  get id(): number {
    return this.wire.session.id;
  }

  get lifeLock(): string | null {
    return this.wire.session.lifeLock;
  }

  close(): void {
    clock.clearInterval(this.watch);
    this.queue.close();
    this.wire.cut();
  }

  private fail(error: Error): void {
    clock.clearInterval(this.watch);
    this.queue.fail(error);
    this.wire.cut();
  }

  /** The server sends a heartbeat when there is nothing else: when nothing at all comes, there is no server. */
  private look(most: number): void {
    const seen = (this.wire.connection.stream.bytesRead ?? 0) + this.events;
    this.silent = seen === this.bytesSeen && !this.queue.stopped ? this.silent + 1 : 0;
    this.bytesSeen = seen;
    if (this.silent >= most) this.fail(connectionLost(new Error('the server has been silent for too long')));
  }
}

/** Refused before it was asked for the log: that is for whoever explains errors of connecting. */
function notLetIn(error: unknown): boolean {
  return [1044, 1045, 1698].includes(errorNumber(error));
}
