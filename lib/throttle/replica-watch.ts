import type { Knex } from 'knex';
import type { Database } from '../database/database';
import { grantee } from '../database/grants';
import { connectDatabase } from '../database/mysql-database';
import { errorNumber, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { Refusal } from '../errors';
import { debugLog } from '../events/debug-log';
import { clock } from '../util/clock';
import { replicaStatus } from './replica-status';

const log = debugLog('throttle');

/** How often a replica is asked, in ms. */
const EVERY_MS = 1000;

/** How long its answer is waited for before the migration holds, in ms. */
const ANSWER_WITHIN_MS = 3000;

const ACCESS_DENIED = 1227;

/**
 * Watches the thread of one replica that applies changes. A session that writes to the table with `sql_log_bin = 0`
 * stops replicas: the journal row that we delete never reached them (1032). Going on would make the harm larger.
 */
export class ReplicaWatch {
  private checked = -Infinity;
  private reason: string | null = null;
  private asking: Promise<void> | null = null;

  private constructor(
    private readonly database: Database,
    private readonly session: Session,
    private readonly name: string,
  ) {}

  /** @throws Refusal LHM_REPLICA_UNFIT, LHM_MISSING_PRIVILEGE */
  static async open(knex: Knex, ordinal: number): Promise<ReplicaWatch> {
    const called = `throttle.replicas[${ordinal}]`;
    let database: Database | undefined;
    let session: Session;
    let name: string;
    try {
      database = await connectDatabase(knex);
      session = await database.open('replica');
      const [row] = await session.query<{ name: string }>(`SELECT CONCAT(@@hostname, ':', @@port) AS name`);
      name = row?.name ?? called;
    } catch (cause) {
      await database?.close();
      throw unfit(`${called} cannot be asked: ${messageOf(cause)}`, cause);
    }
    const watch = new ReplicaWatch(database, session, name);
    try {
      await watch.refuseUnfit(called);
      return watch;
    } catch (error) {
      await watch.close();
      throw error;
    }
  }

  /** Why the migration must hold, in words; null when it may go on. A replica that cannot be seen is a reason, too. */
  async check(maxAgeMs = EVERY_MS): Promise<string | null> {
    if (clock.monotonic() - this.checked < maxAgeMs) return this.reason;
    this.asking ??= this.ask().finally(() => (this.asking = null));
    const answered = await Promise.race([
      this.asking.then(() => true),
      clock.sleep(ANSWER_WITHIN_MS).then(() => false),
    ]);
    return answered ? this.reason : `replica ${this.name}, which does not answer`;
  }

  close(): Promise<void> {
    return this.database.close();
  }

  private async ask(): Promise<void> {
    const { session, database, name } = this;
    let reason: string | null;
    try {
      if (session.lost) await database.reopen(session);
      reason = stopped(name, await replicaStatus(session, database.server));
    } catch (error) {
      reason = `replica ${name}, which cannot be asked: ${messageOf(error)}`;
    }
    if (reason !== this.reason) log('%s', reason ?? `replica ${name} applies changes`);
    this.reason = reason;
    this.checked = clock.monotonic();
  }

  private async refuseUnfit(called: string): Promise<void> {
    const { session, database, name } = this;
    try {
      const status = await replicaStatus(session, database.server);
      if (status.length === 0) throw unfit(`${called} (${name}) is no replica`);
      const reason = stopped(name, status);
      if (reason !== null) throw unfit(`${called} is ${reason}`);
    } catch (cause) {
      if (errorNumber(cause) !== ACCESS_DENIED) throw cause;
      const privilege = database.server.flavor === 'mariadb' ? 'REPLICA MONITOR' : 'REPLICATION CLIENT';
      throw new Refusal(
        'LHM_MISSING_PRIVILEGE',
        `The account of ${called} (${name}) may not ask whether the replica runs.`,
        `GRANT ${privilege} ON *.* TO ${await grantee(session)};`,
        { cause },
      );
    }
  }
}

function stopped(name: string, status: Awaited<ReturnType<typeof replicaStatus>>): string | null {
  const halted = status.find(({ applying }) => !applying);
  if (halted === undefined) return status.length > 0 ? null : `replica ${name}, which is no replica any more`;
  return `replica ${name}, which has stopped applying changes${halted.error === '' ? '' : ` (error ${halted.error})`}`;
}

function unfit(what: string, cause?: unknown): Refusal {
  return new Refusal(
    'LHM_REPLICA_UNFIT',
    `${what}.`,
    'Name replicas that run, or leave them out of throttle.replicas. Nothing was touched.',
    { cause },
  );
}
