import { begunAnew } from '../../binlog/binlog-errors';
import type { ServerStart } from '../../binlog/binlog-events';
import { comparePositions, currentPosition, type BinlogPosition } from '../../binlog/binlog-position';
import type { StreamedTable } from '../../binlog/streamed-table';
import type { Database } from '../../database/database';
import { killHolder } from '../../database/ended-connection';
import { errorNumber, messageOf } from '../../database/server-error';
import type { Session } from '../../database/session';
import { text } from '../../database/sql';
import { Refusal } from '../../errors';
import { ServerStarts } from '../../replication/server-starts';
import { countDomains, readPrimary } from '../../replication/primary';
import { sourceProblems } from '../../replication/source-problems';
import type { TablePair } from '../../schema/table-pair';
import type { BinlogSourceOptions } from './binlog-source-options';
import { startedAnew } from './binlog-refusals';
import { behindMark } from './behind-mark';
import { inTime, NotThereYet } from './marks';
import { refuseUnordered } from './commit-order';
import { unlessSilent } from './unless-silent';
import { WrittenThrough } from './written-through';

/** The server whose binary log is read. */
export interface LogServer {
  readonly database: Database;
  /** Where its log ends now. */
  position(): Promise<BinlogPosition>;
  /**
   * Where reading is to begin: what was committed before the call need not be read.
   *
   * @param write writes a mark
   */
  begin(changelog: StreamedTable, signal: AbortSignal, write: () => Promise<number>): Promise<BinlogPosition>;
  /**
   * Before it is read from a place once more: that it is the same log.
   *
   * @throws Refusal
   */
  resume(from: BinlogPosition): Promise<void>;
  /**
   * @param reached where it was read up to
   * @throws Refusal when its log does not tell everything in the right order, or may not any more
   */
  check(reached: BinlogPosition | null): Promise<void>;
  /** The same of what the primary knows, on a session of it. */
  checkPrimary(session: Session): Promise<void>;
  /**
   * After it was read in the log that its server was started anew.
   *
   * @param session one of the migrated server's; null before there is one
   * @throws Refusal after a crash that its log may not have come through whole
   */
  passStart(session: Session | null, start: ServerStart): Promise<void>;
  /** What an error of connecting to it means. */
  explain(error: unknown): unknown;
  /** Ends the connection that has the lock. Never rejects. */
  kill(lifeLock: string | null): Promise<void>;
  /** Never rejects. */
  close(): Promise<void>;
}

/** @param session one of the migrated server's; null before there is one */
export function logServer(
  database: Database,
  session: () => Session | null,
  pair: TablePair,
  { replica, mostDelayMs }: Pick<BinlogSourceOptions, 'replica' | 'mostDelayMs'>,
): LogServer {
  if (replica === null) return new OwnLog(database, session);
  return new ReplicaLog(replica, database, session, pair, mostDelayMs);
}

/** The migrated server itself. */
class OwnLog implements LogServer {
  private readonly writtenThrough = new WrittenThrough();

  /** @param session null before there is one */
  constructor(
    readonly database: Database,
    private readonly session: () => Session | null,
  ) {}

  position(): Promise<BinlogPosition> {
    const session = this.session();
    if (session === null) throw new Error('there is no session yet');
    return currentPosition(session);
  }

  async begin(): Promise<BinlogPosition> {
    const session = this.session();
    if (session !== null) await this.writtenThrough.remember(session);
    return this.position();
  }

  async passStart(session: Session | null, start: ServerStart): Promise<void> {
    if (session !== null) await this.writtenThrough.passStart(session, start);
  }

  resume(): Promise<void> {
    return Promise.resolve();
  }

  /** MySQL tells a reader that the log was begun anew no sooner than when it is as long as it was: for days it would wait. */
  async check(reached: BinlogPosition | null): Promise<void> {
    if (reached !== null && comparePositions(await this.position(), reached) < 0)
      throw begunAnew(reached.file);
  }

  async checkPrimary(session: Session): Promise<void> {
    await this.writtenThrough.look(session);
    await refuseUnordered(session, this.database.server);
  }

  explain(error: unknown): unknown {
    return error;
  }

  /** By the lock, because numbers begin anew with the server: an old one may be an application's by now. */
  async kill(lifeLock: string | null): Promise<void> {
    const session = this.session();
    if (session !== null && !session.lost && lifeLock !== null) await killHolder(session, lifeLock, 'KILL');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** How many domains a migration may meet on MariaDB before the order of changes may be lost on the way. */
const ONE = 1;

/** How long a replica may take to answer while the tables may be locked, in ms. */
const LOOK_WITHIN_MS = 2000;

/**
 * A replica of the migrated server. Its log stands in for the primary's as long as it has everything and keeps the order,
 * which is asked before each attempt at the swap and whenever the reading begins anew: it cannot be changed without stopping
 * the replication, and while that stands no mark comes back.
 */
class ReplicaLog implements LogServer {
  private session: Session | null = null;
  private opening: Promise<Session> | null = null;
  private readonly writtenThrough = new WrittenThrough();
  /** Of the servers above it. */
  private readonly starts = new ServerStarts();
  /** The primary, once it was looked at. */
  private above: string | null = null;
  private closed = false;

  constructor(
    readonly database: Database,
    private readonly primary: Database,
    /** One of the primary's; null before there is one. */
    private readonly onPrimary: () => Session | null,
    private readonly pair: TablePair,
    private readonly mostDelayMs: number,
  ) {}

  async position(): Promise<BinlogPosition> {
    return currentPosition(await this.open());
  }

  async begin(
    changelog: StreamedTable,
    signal: AbortSignal,
    write: () => Promise<number>,
  ): Promise<BinlogPosition> {
    await this.writtenThrough.remember(await this.open());
    await this.look();
    return behindMark(this, changelog, signal, write);
  }

  async passStart(_session: Session | null, start: ServerStart): Promise<void> {
    await this.writtenThrough.passStart(await this.open(), start);
  }

  async resume(from: BinlogPosition): Promise<void> {
    const session = await this.open();
    if (from.gtid !== undefined && !(await hasGtid(session, this.database, from, from.gtid)))
      throw anotherLog(`it does not have ${from.gtid} at ${from.file}:${from.offset}`);
    await this.look();
  }

  async check(reached: BinlogPosition | null): Promise<void> {
    if (reached !== null && comparePositions(await this.position(), reached) < 0)
      throw anotherLog(`it ends before ${reached.file}:${reached.offset}`);
    await this.writtenThrough.look(await this.open());
    await this.look();
  }

  async checkPrimary(session: Session): Promise<void> {
    await refuseUnordered(session, this.primary.server);
    if (this.above !== null) await this.starts.watch(session, this.above);
    if ((await countDomains(session, this.primary.server)) <= ONE) return;
    // The tables may be locked, and the replica away.
    await inTime(this.look(), LOOK_WITHIN_MS).catch((error: unknown) => {
      if (error instanceof Refusal) throw error;
      throw new NotThereYet(`binlog.source cannot be asked whether it keeps the order: ${messageOf(error)}`);
    });
  }

  explain(error: unknown): unknown {
    const another = error instanceof Refusal && error.code === 'LHM_NOT_ONE_SERVER' && !isOurs(error);
    return another ? anotherLog(error.message, error) : error;
  }

  async kill(lifeLock: string | null): Promise<void> {
    const { session } = this;
    if (session !== null && !session.lost && lifeLock !== null) await killHolder(session, lifeLock, 'KILL');
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.opening !== null) await unlessSilent(this.opening);
    await this.session?.close();
  }

  private async look(): Promise<void> {
    const { primary, pair } = this;
    const onPrimary = this.onPrimary();
    if (onPrimary === null) throw new Error('there is no session yet');
    const { server } = primary;
    const { schema, origin, names } = pair;
    const facts = await readPrimary(onPrimary, server);
    const above = async (session: Session, identity: string, called: string): Promise<void> => {
      const syncBinlog = await this.starts.lossOf(session, identity);
      if (syncBinlog !== null) throw startedAnew(called, syncBinlog);
    };
    await above(onPrimary, facts.identity, 'The server that is migrated');
    const [problem] = await sourceProblems(this.database, await this.open(), facts, {
      ...{ schema, table: origin.table, tables: [origin.table, names.changelog], above },
      ...{ running: false, mostDelayMs: this.mostDelayMs, domains: await countDomains(onPrimary, server) },
    });
    if (problem !== undefined) throw new Refusal(problem.code, problem.message, problem.hint);
    this.above = facts.identity;
  }

  /** By one at a time, or two would make the same session anew. */
  private open(): Promise<Session> {
    this.opening ??= this.openOnce().finally(() => (this.opening = null));
    return this.opening;
  }

  private async openOnce(): Promise<Session> {
    if (this.closed) throw new Error('the migration is over');
    if (this.session === null) this.session = await this.database.open('source');
    else if (this.session.lost) await this.database.reopen(this.session);
    return this.session;
  }
}

const NO_SUCH_PLACE = 1236;

/** Whether the log has at the place, or on MySQL at all, what was read there last. */
async function hasGtid(
  session: Session,
  { server }: Database,
  { file, offset }: BinlogPosition,
  gtid: string,
): Promise<boolean> {
  if (server.flavor === 'mysql') {
    const [row] = await session.query<{ has: number | string }>(
      `SELECT GTID_SUBSET(${text(gtid)}, @@GLOBAL.gtid_executed) AS has`,
    );
    return Number(row?.has) === 1;
  }
  try {
    const [row] = await session.query<{ gtids: string | null }>(
      `SELECT BINLOG_GTID_POS(${text(file)}, ${offset}) AS gtids`,
    );
    // NULL where the place is not there: the dump says so itself.
    return row?.gtids == null || row.gtids.split(',').includes(gtid);
  } catch (error) {
    if (errorNumber(error) === NO_SUCH_PLACE) return true;
    throw error;
  }
}

function isOurs({ message }: Refusal): boolean {
  return message.startsWith(ANOTHER);
}

const ANOTHER = 'binlog.source leads to another server or another log than before';

function anotherLog(why: string, cause?: unknown): Refusal {
  return new Refusal(
    'LHM_NOT_ONE_SERVER',
    `${ANOTHER}: ${why}`,
    'Nothing was swapped. Let binlog.source lead to one replica, by its own host and port, and run again.',
    { cause },
  );
}
