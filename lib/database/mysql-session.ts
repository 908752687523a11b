import type { Connection, ResultSetHeader } from 'mysql2';
import type { Socket } from 'node:net';
import { debugLog } from '../events/debug-log';
import { clock } from '../util/clock';
import { isConnectionLoss } from './server-error';
import type { Row, Session, WriteResult } from './session';

const logSql = debugLog('sql');

/** A session on one mysql2 connection. */
export class MysqlSession implements Session {
  id = 0;
  lifeLock: string | null = null;
  maxPacket = 0;
  lost = false;
  /** Locks of connections that ended without a goodbye, and which the server may not have noticed yet. */
  readonly unsettled = new Set<string>();
  private closed = false;
  private connecting = false;
  /** What was asked and is not answered: rejects it. */
  private readonly asked = new Set<(error: Error) => void>();

  constructor(
    readonly role: string,
    public connection: Connection,
  ) {
    this.listen(connection);
  }

  /** Without a listener an idle connection that is killed ends the whole process. */
  private listen(connection: Connection): void {
    connection.on('error', (error: Error) => {
      if (connection !== this.connection) return;
      this.lost = true;
      logSql('%s lost: %s', this.role, error.message);
    });
  }

  raw(sql: string, values?: readonly unknown[]): Promise<[unknown, unknown]> {
    logSql('%s[%d] %s', this.role, this.id, sql);
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        if (!this.asked.delete(fail)) return;
        if (isConnectionLoss(error)) this.lost = true;
        logSql('%s[%d] failed: %s', this.role, this.id, error.message);
        reject(error);
      };
      this.asked.add(fail);
      // The driver would tell what waits behind its greeting that this fails, and not who waits for the greeting.
      if (this.connecting) {
        fail(cut());
        return;
      }
      this.connection.query(sql, values === undefined ? [] : [...values], (error, result, fields) => {
        if (error !== null) fail(error);
        else if (this.asked.delete(fail)) resolve([result, fields]);
      });
    });
  }

  async query<R = Row>(sql: string, values?: readonly unknown[]): Promise<R[]> {
    const [rows] = await this.raw(sql, values);
    return rows as R[];
  }

  async execute(sql: string, values?: readonly unknown[]): Promise<WriteResult> {
    const [header] = await this.raw(sql, values);
    const { affectedRows, warningStatus, info } = header as ResultSetHeader;
    return { affectedRows, warningStatus, info };
  }

  /** Rejects when the server cannot be reached or refuses the account. */
  async connect(): Promise<void> {
    this.connecting = true;
    try {
      await new Promise<void>((resolve, reject) => {
        this.asked.add(reject);
        this.connection.connect((error) => {
          this.asked.delete(reject);
          if (error === null) resolve();
          else reject(error);
        });
      });
    } finally {
      this.connecting = false;
    }
  }

  /** Goes on with a new connection in the place of one that was lost. It counts as lost until it is `begun`. */
  async reconnect(connection: Connection): Promise<void> {
    this.lost = true;
    this.destroy();
    this.giveUp();
    this.connection = connection;
    this.listen(connection);
    this.closed = false;
    await this.connect();
  }

  /** The connection can be used. */
  begun(): void {
    this.lost = false;
  }

  private destroy(): void {
    this.connection.destroy();
    // The driver only says goodbye, and a peer that is gone would keep the process until TCP gives it up.
    socketOf(this.connection).destroy?.();
    this.endAsked();
  }

  /** The driver leaves what was asked of a connection that is cut without an answer for ever. */
  private endAsked(): void {
    for (const reject of this.asked) reject(cut());
    this.asked.clear();
  }

  /** Remembers the connection as one that the server may still have. */
  giveUp(): void {
    if (this.lifeLock !== null) this.unsettled.add(this.lifeLock);
    this.lifeLock = null;
  }

  /** Cuts the connection, without a word to the server. */
  abandon(): void {
    this.closed = true;
    this.destroy();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const { connection } = this;
    // A server that does not answer must not hold the process: the socket is cut after a moment.
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(() => {
        // Another one may be in its place by now.
        if (connection === this.connection) {
          this.destroy();
          this.giveUp();
        }
        resolve();
      }, 2000);
      connection.end(() => {
        clock.clearTimeout(timer);
        resolve();
      });
    });
    // The goodbye is on its way, and nobody waits for the answer.
    socketOf(connection).unref?.();
    if (connection === this.connection) this.endAsked();
  }
}

/** The caller may have given a stream of his own (`stream`), which need not be a socket. */
function socketOf(connection: Connection): Partial<Socket> {
  return (connection as unknown as { stream: Socket }).stream;
}

/** As the driver says it of a connection that somebody else has ended. */
function cut(): Error {
  return Object.assign(new Error('the connection was cut'), {
    code: 'PROTOCOL_CONNECTION_LOST',
    fatal: true,
  });
}
