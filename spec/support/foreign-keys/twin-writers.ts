import type { Connection, ResultSetHeader } from 'mysql2/promise';

import { classify, errorCode, INTERRUPTED } from '../workload/errors';
import { Random } from '../workload/random';
import type { TwinTables } from './twin-tables';

/** What writers have seen. */
export interface Seen {
  committed: number;
  deadlocks: number;
  /** By the twin already: as the keys want it. */
  refused: number;
  /** Connections that were lost, where that is expected. What became of their COMMIT is the same for both tables. */
  lost: number;
  readonly wrong: string[];
  /** The longest a transaction took, in ms. */
  longestMs: number;
}

export interface TwinWriterOptions {
  readonly writers: number;
  readonly seed: number;
  /** A new connection: at the start, and for each that was lost. */
  readonly connect: () => Promise<Connection>;
  /** The schema of the tables, where the connections have another one or none. */
  readonly schema?: string;
  /** `'expected'`: connections are lost on purpose, and made anew. Default `'unexpected'`. */
  readonly lostConnections?: 'expected' | 'unexpected';
  /** `'expected'`: a server that shuts down interrupts statements before. Default `'unexpected'`. */
  readonly shutdowns?: 'expected' | 'unexpected';
}

/** Between two attempts to connect. */
const AGAIN_MS = 100;

/** Writes until `stop` is called, which resolves with what was seen. */
export async function writeTwins(
  tables: TwinTables,
  options: TwinWriterOptions,
): Promise<{ stop: () => Promise<Seen> }> {
  const run = new Run(tables, options);
  const clients: Connection[] = [];
  for (let writer = 0; writer < options.writers; writer++) clients.push(await run.open(writer));
  const writing = clients.map((client, writer) => run.write(client, writer));
  return {
    stop: async () => {
      run.stopped = true;
      await Promise.all(writing);
      return run.seen;
    },
  };
}

class Run {
  readonly seen: Seen = { committed: 0, deadlocks: 0, refused: 0, lost: 0, wrong: [], longestMs: 0 };
  stopped = false;
  private last = 1000;
  private readonly prefix: string;

  constructor(
    private readonly tables: TwinTables,
    private readonly options: TwinWriterOptions,
  ) {
    this.prefix = options.schema === undefined ? '' : `${options.schema}.`;
  }

  async open(writer: number): Promise<Connection> {
    const client = await this.options.connect();
    // Without a listener a connection that dies while idle takes the process with it.
    client.on('error', () => undefined);
    await client.query('SET SESSION lock_wait_timeout = 30, SESSION innodb_lock_wait_timeout = 30');
    if (writer % 2 === 1) await client.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    return client;
  }

  async write(first: Connection, writer: number): Promise<void> {
    const random = new Random(this.options.seed * 100 + writer);
    const any = (most: number): number => 1 + random.int(most);
    const fresh = (): number => ++this.last;
    let client: Connection | null = first;
    while (!this.stopped) {
      client ??= await this.open(writer).catch((error: unknown) => this.away(error));
      const change = random.pick(this.tables.changes)({ any, fresh });
      const started = performance.now();
      if (client !== null && !(await this.change(client, change))) {
        client.destroy();
        client = null;
      }
      this.seen.longestMs = Math.max(this.seen.longestMs, performance.now() - started);
      // A table that grows faster than small chunks are copied would never be done.
      await new Promise((resolve) => setTimeout(resolve, client === null ? AGAIN_MS : any(8)));
    }
    await client?.end().catch(() => undefined);
  }

  private away(error: unknown): null {
    if (this.options.lostConnections !== 'expected') this.seen.wrong.push(`connecting: ${String(error)}`);
    return null;
  }

  /**
   * The twin first: what it allows is locked by then, and nobody can make it impossible for the table itself any more. So
   * if that fails nevertheless, and for no deadlock, the migration is to blame.
   *
   * @returns whether the connection is still of use
   */
  private async change(client: Connection, change: readonly string[]): Promise<boolean> {
    let doing: 'the twin' | 'the table' = 'the twin';
    try {
      await client.query('START TRANSACTION');
      for (const sql of change) {
        const [{ affectedRows }] = await client.query<ResultSetHeader>(this.sql(sql, '_s'));
        if (affectedRows > 0) continue;
        // Nothing is locked by it, so the two need not come to the same.
        await client.query('ROLLBACK');
        return true;
      }
      doing = 'the table';
      for (const sql of change) await client.query(this.sql(sql, ''));
      await client.query('COMMIT');
      this.seen.committed++;
      return true;
    } catch (error) {
      return this.failed(client, error, doing, change);
    }
  }

  private async failed(
    client: Connection,
    error: unknown,
    doing: 'the twin' | 'the table',
    change: readonly string[],
  ): Promise<boolean> {
    const { seen } = this;
    const { errno = 0, message } = error as { errno?: number; message: string };
    const interrupted = errorCode(error) === INTERRUPTED && this.options.shutdowns === 'expected';
    const lost = interrupted || classify(error) === 'lost';
    if (lost && this.options.lostConnections === 'expected') seen.lost++;
    else if (errno === 1213) seen.deadlocks++;
    else if (doing === 'the twin' ? REFUSALS.has(errno) : isParentsKey(errno, change)) seen.refused++;
    else seen.wrong.push(`${doing}: ${change.join('; ')}: ${message}`);
    if (lost) return false;
    return client.query('ROLLBACK').then(
      () => true,
      () => false,
    );
  }

  private sql(template: string, suffix: string): string {
    return template.replace(/(\w+)@/g, `${this.prefix}$1${suffix}`);
  }
}

/** A child in the way, no parent, or a key that is there already. */
const REFUSALS = new Set([1451, 1452, 1062]);

/**
 * MySQL 9.7 allows the twin's new key and refuses the table's in some 3 of 100,000 transactions where nobody migrates
 * anything; parents are not what is migrated.
 */
function isParentsKey(errno: number, change: readonly string[]): boolean {
  return errno === 1062 && change.length === 1 && /^UPDATE orgs@ SET id/.test(change[0] ?? '');
}
