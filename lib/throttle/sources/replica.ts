import type { Knex } from 'knex';
import type { Heartbeat } from '../../changes/change-source';
import type { Database } from '../../database/database';
import { grantee } from '../../database/grants';
import { connectDatabase } from '../../database/mysql-database';
import { errorNumber, messageOf } from '../../database/server-error';
import { Refusal } from '../../errors';
import type { LiveSettings } from '../../options/live-settings';
import { PolledSession } from '../polled-session';
import { replicaStatus, type ReplicaStatus } from '../../replication/replica-status';
import { CLEAR, hold, type ThrottleSource, type Verdict } from '../throttle-source';

const ACCESS_DENIED = 1227;

/** A table, a database that is not there, or that the account may not read. */
const UNREADABLE = new Set([1044, 1049, 1142, 1146]);

/**
 * How far one replica is behind, and whether it applies changes at all. A session that writes to the table with
 * `sql_log_bin = 0` stops replicas: the journal row that we delete never reached them (1032). Going on would make the harm
 * larger.
 */
export class ReplicaSource implements ThrottleSource {
  private database: Database | null = null;
  private session: PolledSession | null = null;
  private host: string | null = null;
  private closed = false;

  constructor(
    private readonly knex: Knex,
    /** What it is called before it has told its own name. */
    private readonly called: string,
    private readonly settings: LiveSettings,
    private readonly heartbeat: () => Heartbeat | null = () => null,
  ) {}

  get name(): string {
    return `replica ${this.host ?? this.called}`;
  }

  async check(signal: AbortSignal): Promise<Verdict> {
    const status = await this.status(signal);
    return this.judge(status, await this.lagByHeartbeat(signal));
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.session?.close();
    await this.database?.close();
  }

  /** @throws Refusal LHM_REPLICA_UNFIT, LHM_MISSING_PRIVILEGE; one that only lags is no reason */
  async refuseUnfit(): Promise<void> {
    const { called } = this;
    const never = new AbortController().signal;
    let status: readonly ReplicaStatus[];
    try {
      await this.connect();
    } catch (cause) {
      throw unfit(`${called} cannot be asked: ${messageOf(cause)}`, cause);
    }
    try {
      status = await this.status(never);
    } catch (cause) {
      if (errorNumber(cause) === ACCESS_DENIED) throw await this.mayNotAsk(cause);
      throw unfit(`${called} (${this.host}) cannot be asked: ${messageOf(cause)}`, cause);
    }
    if (status.length === 0) throw unfit(`${called} (${this.host}) is no replica`);
    const reason = this.stopped(status);
    if (reason !== null) throw unfit(`${called} is ${reason}`);
  }

  private async status(signal: AbortSignal): Promise<ReplicaStatus[]> {
    const { session, database } = await this.connect();
    return replicaStatus({ query: (sql) => session.query(sql, signal) }, database.server);
  }

  private judge(status: readonly ReplicaStatus[], lagByHeartbeat: number | null): Verdict {
    const stopped = this.stopped(status);
    if (stopped !== null) return hold(stopped);
    const { maxLagMs } = this.settings.throttle;
    if (maxLagMs === false) return CLEAR;
    if (status.some(({ lagMs }) => lagMs === null))
      return hold(`${this.name}, whose lag is not known (it is not connected to its source)`);
    const lagMs = lagByHeartbeat ?? Math.max(...status.map((one) => one.lagMs ?? Infinity));
    return lagMs > maxLagMs ? hold(`${this.name}, which is ${(lagMs / 1000).toFixed(1)} s behind`) : CLEAR;
  }

  private stopped(status: readonly ReplicaStatus[]): string | null {
    const halted = status.find(({ applying }) => !applying);
    if (halted === undefined) return status.length > 0 ? null : `${this.name}, which is no replica any more`;
    return `${this.name}, which has stopped applying changes${halted.error === '' ? '' : ` (error ${halted.error})`}`;
  }

  /** Null where there is none, or it is not on the replica yet, or the account may not read it. */
  private async lagByHeartbeat(signal: AbortSignal): Promise<number | null> {
    const heartbeat = this.heartbeat();
    if (heartbeat === null) return null;
    const { session } = await this.connect();
    try {
      const [row] = await session.query<{ counter: string | number }>(heartbeat.sql, signal);
      return row === undefined ? null : heartbeat.lagAt(Number(row.counter));
    } catch (error) {
      if (UNREADABLE.has(errorNumber(error))) return null;
      throw error;
    }
  }

  private async connect(): Promise<{ database: Database; session: PolledSession }> {
    this.database ??= await connectDatabase(this.knex);
    const { database } = this;
    this.session ??= new PolledSession(database, 'replica');
    const { session } = this;
    if (this.closed) {
      await session.close();
      throw new Error('it is no longer watched');
    }
    if (this.host === null) {
      const opened = await session.open();
      const [row] = await opened.query<{ name: string }>(`SELECT CONCAT(@@hostname, ':', @@port) AS name`);
      this.host = row?.name ?? this.called;
    }
    return { database, session };
  }

  private async mayNotAsk(cause: unknown): Promise<Refusal> {
    const { database, session } = await this.connect();
    const privilege = database.server.flavor === 'mariadb' ? 'REPLICA MONITOR' : 'REPLICATION CLIENT';
    return new Refusal(
      'LHM_MISSING_PRIVILEGE',
      `The account of ${this.called} (${this.host}) may not ask whether the replica runs.`,
      `GRANT ${privilege} ON *.* TO ${await grantee(await session.open())};`,
      { cause },
    );
  }
}

function unfit(what: string, cause?: unknown): Refusal {
  return new Refusal(
    'LHM_REPLICA_UNFIT',
    `${what}.`,
    'Name replicas that run, or leave them out of throttle.replicas. Nothing was touched.',
    { cause },
  );
}
