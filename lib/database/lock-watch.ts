import type { ServerCapabilities } from './server-capabilities';
import type { Session } from './session';
import type { TableName } from '../schema/identifier';
import { clock } from '../util/clock';

/** A connection that holds the table, and has done so without a break since it was first seen. */
export interface Holding {
  readonly connection: number;
  readonly user: string;
  /** For how long it surely holds the table, in ms. */
  readonly heldMs: number;
  /** Why it must not be killed, in words; null where it may be. */
  readonly spared: string | null;
}

interface Row {
  readonly connection: number | string;
  readonly event: string;
  readonly xa: string | null;
}

/** What a client's connection can be doing; replication, events and logins are other commands. */
const CLIENT_COMMANDS =
  /^(?:Sleep|Query|Execute|Prepare|Fetch|Long Data|Reset stmt|Close stmt|Init DB|Field List|Statistics|Ping|Set option)$/i;

/** Transactions are filed with the second in which they began. */
const SECOND = 1000;

/**
 * Watches who holds a table, from one look to the next: a busy connection holds it again and again, and only one and the
 * same lock that was there at both looks has been in the way all the time.
 */
export class LockWatch {
  private seen = new Map<string, number>();

  constructor(
    private readonly session: Session,
    private readonly server: ServerCapabilities,
    private readonly name: TableName,
  ) {}

  /**
   * @param own connections to leave out
   * @returns null where the server does not tell (performance_schema)
   */
  async look(own: readonly number[]): Promise<Holding[] | null> {
    const rows = await this.holders();
    if (rows === null) return null;
    const transactions = await this.transactions();
    const processes = await this.processes();
    const prepared = await this.prepared();
    const now = clock.monotonic();
    const seen = new Map<string, number>();
    const found: Holding[] = [];
    for (const row of rows) {
      const connection = Number(row.connection);
      const process = processes.get(connection);
      if (own.includes(connection) || process === undefined) continue;
      const transaction = transactions.get(connection);
      const key = [connection, row.event, transaction?.key].join(' ');
      const since = this.seen.get(key) ?? now;
      seen.set(key, since);
      const most = Math.max(transaction?.ageMs ?? 0, process.sameMs) - SECOND;
      found.push({
        ...{ connection, user: process.user },
        heldMs: this.server.countsLocks ? now - since : Math.min(now - since, Math.max(0, most)),
        spared: spared(process, row.xa === 'PREPARED' || prepared.has(connection)),
      });
    }
    this.seen = seen;
    return found;
  }

  private async holders(): Promise<Row[] | null> {
    try {
      return await this.session.query<Row>(
        `SELECT t.PROCESSLIST_ID AS connection, MAX(e.XA_STATE) AS xa,
                GROUP_CONCAT(m.OWNER_EVENT_ID ORDER BY m.OWNER_EVENT_ID) AS event
           FROM performance_schema.metadata_locks AS m
           JOIN performance_schema.threads AS t ON t.THREAD_ID = m.OWNER_THREAD_ID
           LEFT JOIN performance_schema.events_transactions_current AS e
             ON e.THREAD_ID = t.THREAD_ID AND e.STATE = 'ACTIVE'
          WHERE m.OBJECT_TYPE = 'TABLE' AND m.OBJECT_SCHEMA = ? AND m.OBJECT_NAME = ?
            AND m.LOCK_STATUS = 'GRANTED' AND t.PROCESSLIST_ID IS NOT NULL
          GROUP BY t.PROCESSLIST_ID`,
        [this.name.schema, this.name.table],
      );
    } catch {
      return null;
    }
  }

  private async transactions(): Promise<Map<number, { key: string; ageMs: number }>> {
    const rows = await this.session.query<{ connection: number | string; key: string; age: number | string }>(
      `SELECT trx_mysql_thread_id AS connection, CONCAT_WS(' ', trx_id, trx_started) AS \`key\`,
              TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS age
         FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id <> 0`,
    );
    return new Map(
      rows.map(({ connection, key, age }) => [Number(connection), { key, ageMs: Number(age) * SECOND }]),
    );
  }

  private async processes(): Promise<Map<number, Process>> {
    const rows =
      await this.session.query<Record<'Id' | 'User' | 'Command' | 'Time', string | null>>('SHOW PROCESSLIST');
    return new Map(
      rows.map((row) => [
        Number(row.Id),
        { user: row.User ?? '', command: row.Command ?? '', sameMs: Number(row.Time ?? 0) * SECOND },
      ]),
    );
  }

  /** On MariaDB performance_schema does not tell of transactions unless it is told to. */
  private async prepared(): Promise<ReadonlySet<number>> {
    if (this.server.countsLocks) return new Set();
    const [row] = await this.session.query<{ Status: string }>('SHOW ENGINE INNODB STATUS');
    const blocks = (row?.Status ?? '')
      .split('---TRANSACTION ')
      .filter((block) => /^\S+, ACTIVE \(PREPARED\)/.test(block));
    return new Set(blocks.map((block) => Number(/^\w+ thread id (\d+),/m.exec(block)?.[1] ?? 0)));
  }
}

interface Process {
  readonly user: string;
  readonly command: string;
  /** For how long it has been doing what it does now. */
  readonly sameMs: number;
}

function spared({ user, command }: Process, prepared: boolean): string | null {
  if (prepared) return 'its XA transaction is prepared';
  if (/^system user$|^event_scheduler$/i.test(user)) return `it belongs to the server (${user})`;
  return CLIENT_COMMANDS.test(command) ? null : `it is no client's (${command})`;
}
