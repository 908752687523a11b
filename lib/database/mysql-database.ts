import type { Knex } from 'knex';
import { Refusal } from '../errors';
import { connectionSource, type ConnectionSource } from './knex-connection';
import type { Database } from './database';
import { endConnection } from './ended-connection';
import { OneServer, SessionMark, WHO_ANSWERS, type Answerer, type Marked } from './one-server';
import { MysqlSession } from './mysql-session';
import type { Session } from './session';
import { serverCapabilities, type ServerCapabilities } from './server-capabilities';
import { isConnectionLoss } from './server-error';
import { sessionSettings } from './session-settings';
import { text } from './sql';
import { refuseFakeTimers } from './fake-timers';
import { wire, type Wire, type WireConnection } from './wire';

interface Facts extends Answerer {
  readonly version: string;
  readonly schemaName: string | null;
  readonly mode: string;
  readonly zone: string;
  readonly systemZone: string;
  readonly unlogged: number | string;
  readonly folds: number | string;
}

/** Connects once to learn what the server is, and opens sessions from then on. */
export async function connectDatabase(knex: Knex): Promise<Database> {
  await refuseFakeTimers();
  return connectWith(connectionSource(knex));
}

/** The caller's limit may be a millisecond (MySQL; to MariaDB it is a comment). */
const UNLIMITED = '/*+ MAX_EXECUTION_TIME(0) */';

async function connectWith(source: ConnectionSource): Promise<Database> {
  const open = new Set<MysqlSession>();
  const wires = new Set<Wire>();
  const oneServer = new OneServer();
  const first = await connect(source, 'probe');
  let facts: Facts | undefined;
  try {
    await source.afterCreate(first.connection);
    const [plain] = await first.query<Answerer>(`SELECT ${UNLIMITED} ${WHO_ANSWERS}`);
    // As a locking read, which goes where writes go.
    [facts] = await first.query<Facts>(
      `SELECT ${UNLIMITED} ${WHO_ANSWERS}, VERSION() AS version, DATABASE() AS schemaName, @@SESSION.sql_mode AS mode,` +
        ' @@SESSION.time_zone AS zone, @@GLOBAL.system_time_zone AS systemZone,' +
        ' @@GLOBAL.log_bin AND NOT @@SESSION.sql_log_bin AS unlogged,' +
        ' @@GLOBAL.lower_case_table_names AS folds FOR UPDATE',
    );
    oneServer.check(
      'probe',
      [plain, facts].filter((row) => row !== undefined),
      first.connection.threadId,
    );
  } finally {
    await first.close();
  }
  if (facts === undefined) throw new Error('the server did not answer SELECT VERSION()');
  refuseUnlogged(facts);
  const server = serverCapabilities(facts.version);
  const named = facts.zone === 'SYSTEM' ? facts.systemZone : facts.zone;
  let timeZone = facts.zone;
  let closed = false;

  /** What every connection goes through before it is used. */
  async function begin(session: MysqlSession): Promise<void> {
    await source.afterCreate(session.connection);
    const mark = new SessionMark();
    await configure(session, server, timeZone, [mark.assignment]);
    const [row] = await session.query<Answerer & Marked & { packet: number | string }>(
      `SELECT ${WHO_ANSWERS}, ${mark.columns}, @@SESSION.max_allowed_packet AS packet`,
    );
    if (row === undefined) throw new Error('the server did not answer SELECT CONNECTION_ID()');
    session.id = Number(row.id);
    session.maxPacket = Number(row.packet);
    mark.check(row);
    session.lifeLock = mark.lock;
    oneServer.check(session.role, [row], session.connection.threadId);
    if (closed) {
      // Nobody would close it any more, and it would keep the process.
      session.abandon();
      throw new Error('the database was closed');
    }
    session.begun();
  }

  return {
    server,
    schema: facts.schemaName,
    callerSqlMode: facts.mode,
    timeZone: facts.zone,
    clocksGoBack: !/^(?:[+-]\d\d:\d\d|UTC|GMT|Universal|Zulu|Etc\/(?:UTC|GMT|UCT|Universal))$/i.test(named),
    foldsTableNames: Number(facts.folds) !== 0,
    async useTimeZone(zone) {
      timeZone = zone;
      for (const session of open) {
        if (!session.lost) await session.execute(`SET SESSION time_zone = ${text(zone)}`);
      }
    },
    restore: (session) => configure(session, server, timeZone),
    elsewhere: (host, port) => connectWith(source.at(host, port)),
    async open(role) {
      const session = await connect(source, role);
      open.add(session);
      await begin(session);
      return session;
    },
    async openWire(role) {
      // Compressed, the driver takes the numbers of the server's packets for wrong, and says so for each of them.
      const session = await connect(source, role, false);
      const opened = wire(session, session.connection as unknown as WireConnection, (cut) =>
        wires.delete(cut),
      );
      wires.add(opened);
      try {
        await begin(session);
      } catch (error) {
        opened.cut();
        throw error;
      }
      return opened;
    },
    async meetAgain() {
      const witness = await connect(source, 'witness');
      try {
        const [row] = await witness.query<Answerer>(`SELECT ${WHO_ANSWERS}`);
        oneServer.check('witness', row === undefined ? [] : [row], witness.connection.threadId);
      } finally {
        await witness.close();
      }
    },
    async reopen(session) {
      if (!(session instanceof MysqlSession)) throw new Error('not a session of this database');
      await session.reconnect(await source.create());
      await begin(session);
    },
    async endLost(looker) {
      for (const session of open) {
        if (session.lost) session.giveUp();
        for (const lock of session.unsettled) {
          await endConnection(looker, lock, graceFor(session.role));
          session.unsettled.delete(lock);
        }
      }
    },
    get connections() {
      return [...open].map(({ id }) => id);
    },
    async close() {
      closed = true;
      for (const opened of wires) opened.cut();
      await Promise.all([...open].map((session) => session.close()));
    },
  };
}

async function connect(source: ConnectionSource, role: string, compressed = true): Promise<MysqlSession> {
  const session = new MysqlSession(role, await source.create(compressed));
  try {
    await session.connect();
  } catch (error) {
    // Nobody else knows of it yet, so nobody else would close it.
    session.abandon();
    throw error;
  }
  return session;
}

/**
 * How often a lost connection is looked for before it is killed. A RENAME that is killed half-way costs MariaDB the table's
 * triggers, so it gets the time to end by itself, which a lock that is not granted takes as well.
 */
function graceFor(role: string): number {
  return role === 'renamer' ? 50 : 3;
}

/** The journal's rows reach replicas with the application's writes, so the journal must reach them, too. */
function refuseUnlogged({ unlogged }: Facts): void {
  if (Number(unlogged) !== 1) return;
  throw new Refusal(
    'LHM_NOT_LOGGED',
    'The sessions of the Knex given have sql_log_bin = 0: replicas would get the rows of tables that they do not have.',
    'Leave it out of pool.afterCreate of the Knex that migrates (and out of init_connect).',
  );
}

async function configure(
  session: Session,
  server: ServerCapabilities,
  timeZone: string,
  more: readonly string[] = [],
): Promise<void> {
  const { required, optional } = sessionSettings(server, timeZone, more);
  for (const setting of required) await session.execute(setting);
  for (const setting of optional) {
    try {
      await session.execute(setting);
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
    }
  }
}
