import type { Connection, ResultSetHeader } from 'mysql2';
import type { Knex } from 'knex';
import { debugLog } from '../events/debug-log';
import { connectionSource, type ConnectionSource } from './knex-connection';
import type { Database } from './database';
import type { Row, Session, WriteResult } from './session';
import { serverCapabilities, type ServerCapabilities } from './server-capabilities';
import { sessionSettings } from './session-settings';
import { text } from './sql';

const logSql = debugLog('sql');

/** A session on one mysql2 connection. */
class MysqlSession implements Session {
  id = 0;
  lost = false;
  private closed = false;

  constructor(
    readonly role: string,
    private readonly connection: Connection,
  ) {
    // Without a listener an idle connection that is killed ends the whole process.
    connection.on('error', (error: Error) => {
      this.lost = true;
      logSql('%s lost: %s', this.role, error.message);
    });
  }

  raw(sql: string, values?: readonly unknown[]): Promise<[unknown, unknown]> {
    logSql('%s[%d] %s', this.role, this.id, sql);
    return new Promise((resolve, reject) => {
      this.connection.query(sql, values === undefined ? [] : [...values], (error, result, fields) => {
        if (error === null) {
          resolve([result, fields]);
          return;
        }
        if (isConnectionLoss(error)) this.lost = true;
        logSql('%s[%d] failed: %s', this.role, this.id, error.message);
        reject(error);
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
    await new Promise<void>((resolve, reject) => {
      this.connection.connect((error) => (error === null ? resolve() : reject(error)));
    });
    const [row] = await this.query<{ id: number }>('SELECT CONNECTION_ID() AS id');
    this.id = Number(row?.id);
  }

  /** Cuts the connection, without a word to the server. */
  abandon(): void {
    this.closed = true;
    this.connection.destroy();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    // A server that does not answer must not hold the process: the socket is cut after a moment.
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        this.connection.destroy();
        resolve();
      }, 2000);
      this.connection.end(() => {
        clearTimeout(cut);
        resolve();
      });
    });
  }
}

/** Whether the error says that the connection is gone (and the statement's fate with it). */
export function isConnectionLoss(error: unknown): boolean {
  const { fatal, code, errno } = error as { fatal?: unknown; code?: unknown; errno?: unknown };
  return (
    fatal === true ||
    errno === 1927 || // MariaDB: connection was killed
    errno === 4031 || // MySQL: disconnected for inactivity
    ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(String(code))
  );
}

/** Connects once to learn what the server is, and opens sessions from then on. */
export async function connectDatabase(knex: Knex): Promise<Database> {
  const source = connectionSource(knex);
  const open = new Set<Session>();
  const first = await connect(source, 'probe');
  let facts:
    | { version: string; schemaName: string | null; mode: string; zone: string; systemZone: string }
    | undefined;
  try {
    [facts] = await first.query(
      'SELECT VERSION() AS version, DATABASE() AS schemaName, @@SESSION.sql_mode AS mode,' +
        ' @@SESSION.time_zone AS zone, @@GLOBAL.system_time_zone AS systemZone',
    );
  } finally {
    await first.close();
  }
  if (facts === undefined) throw new Error('the server did not answer SELECT VERSION()');
  const server = serverCapabilities(facts.version);
  const named = facts.zone === 'SYSTEM' ? facts.systemZone : facts.zone;
  let timeZone = facts.zone;
  return {
    server,
    schema: facts.schemaName,
    callerSqlMode: facts.mode,
    timeZone: facts.zone,
    clocksGoBack: !/^(?:[+-]\d\d:\d\d|UTC|GMT|Universal|Zulu|Etc\/(?:UTC|GMT|UCT|Universal))$/i.test(named),
    async useTimeZone(zone) {
      timeZone = zone;
      for (const session of open) {
        if (!session.lost) await session.execute(`SET SESSION time_zone = ${text(zone)}`);
      }
    },
    restore: (session) => configure(session, server, timeZone),
    async open(role) {
      const session = await connect(source, role);
      open.add(session);
      await configure(session, server, timeZone);
      return session;
    },
    async close() {
      await Promise.all([...open].map((session) => session.close()));
    },
  };
}

async function connect(source: ConnectionSource, role: string): Promise<MysqlSession> {
  const session = new MysqlSession(role, await source.create());
  try {
    await session.connect();
  } catch (error) {
    // Nobody else knows of it yet, so nobody else would close it.
    session.abandon();
    throw error;
  }
  return session;
}

async function configure(session: Session, server: ServerCapabilities, timeZone: string): Promise<void> {
  const { required, optional } = sessionSettings(server, timeZone);
  for (const setting of required) await session.execute(setting);
  for (const setting of optional) {
    try {
      await session.execute(setting);
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
    }
  }
}
