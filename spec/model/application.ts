import type { Connection } from 'mysql2/promise';
import type { RunningServer } from '../support/servers';
import { connect } from './clients';
import { touches, type Dml } from './dml';
import { Reader } from './reader';
import type { Shape } from './shape';
import { CONNECTIONS } from './steps';
import { Broken, TABLE, Tables, TWIN } from './tables';

const DUPLICATE = 1062;
const STALE_VIEW = 1412;
/** Lock wait timeout, deadlock, "record has changed since last read": the transaction is rolled back, and that is that. */
const BUSY = [1205, 1213, 1020];

interface Writer {
  readonly client: Connection;
  /** An open transaction: what it may have locked, and whether it began before the swap. */
  open: { touched: Set<string>; before: boolean } | null;
}

/** The application: every statement goes to the table and to its twin, in one transaction. */
export class Application {
  private highest = 0;
  /** Statements that were done, for a summary. */
  done = 0;

  private constructor(
    readonly tables: Tables,
    readonly reader: Reader,
    private readonly writers: readonly Writer[],
    private readonly clients: readonly Connection[],
  ) {}

  static async create(server: RunningServer, database: string, shape: Shape): Promise<Application> {
    const tables = new Tables(shape, await connect(server, 'READ COMMITTED'));
    await tables.create(database);
    const clients: Connection[] = [];
    for (let i = 0; i <= CONNECTIONS; i++) {
      clients.push(await connect(server, i % 2 === 0 ? 'READ COMMITTED' : 'REPEATABLE READ'));
      await clients[i]!.query(`USE ${database}`);
    }
    const writers = clients.slice(0, CONNECTIONS).map((client): Writer => ({ client, open: null }));
    const reader = new Reader(clients[CONNECTIONS]!, tables);
    const application = new Application(tables, reader, writers, clients);
    for (let key = 0; key < shape.rows; key++) {
      const values = { uniq: key, loose: 100 + key, num: key, amount: key / 4, note: `row ${key}` };
      await application.run(0, { do: 'insert', key, values });
    }
    return application;
  }

  /**
   * Runs a statement on both tables; not at all where it would wait for another connection.
   *
   * @param only `alone`: not where it would be part of a longer transaction
   */
  async run(number: number, dml: Dml, only: 'alone' | 'anyhow' = 'anyhow'): Promise<void> {
    const writer = this.writers[number]!;
    if (this.meetsOthers(writer, dml) || (only === 'alone' && writer.open !== null)) return;
    const statements = this.tables.sql(TABLE).render(dml);
    if (statements.length === 0) return;
    const alone = writer.open === null;
    if (alone) await writer.client.query('START TRANSACTION');
    await writer.client.query('SAVEPOINT before_it');
    const [errno, given] = await this.attempt(writer, statements);
    const twin = this.gone(writer, errno, alone) ? errno : await this.repeat(writer, dml, errno, given);
    if (this.gone(writer, twin, alone)) {
      await writer.client.query('ROLLBACK');
      writer.open = null;
      return;
    }
    if (errno !== twin)
      throw new Broken(
        `${statements.join('; ')} ended with error ${errno}, and with ${twin} on a table that is not migrated`,
      );
    if (errno === 0) this.done += 1;
    else await writer.client.query('ROLLBACK TO before_it');
    if (alone) await writer.client.query('COMMIT');
    else this.remember(writer, dml);
  }

  /** The same to the twin. What the server chose for the one is given to the other. */
  private async repeat(writer: Writer, dml: Dml, errno: number, given: number): Promise<number> {
    const sql = this.tables.sql(TWIN);
    if (dml.do !== 'insertAuto') return (await this.attempt(writer, sql.render(dml)))[0];
    if (errno !== 0) return errno;
    if (given <= this.highest) throw new Broken(`the server gave out id ${given} after ${this.highest}`);
    this.highest = given;
    return (await this.attempt(writer, [sql.withKey(dml, given)]))[0];
  }

  private meetsOthers(writer: Writer, dml: Dml): boolean {
    const wanted = touches(dml);
    return this.writers.some((other) => {
      const held = other === writer ? undefined : other.open?.touched;
      if (held === undefined || held.size === 0) return false;
      return wanted === 'everything' || held.has('everything') || wanted.some((what) => held.has(what));
    });
  }

  private remember(writer: Writer, dml: Dml): void {
    const touched = touches(dml);
    for (const what of touched === 'everything' ? [touched] : touched) writer.open?.touched.add(what);
  }

  private async attempt(writer: Writer, statements: readonly string[]): Promise<[errno: number, id: number]> {
    let id = 0;
    for (const sql of statements) {
      try {
        const [result] = await writer.client.query(sql);
        id = Number((result as { insertId?: number | string }).insertId ?? 0);
      } catch (error) {
        const { errno } = error as { errno?: number };
        if (errno !== undefined && [DUPLICATE, STALE_VIEW, ...BUSY].includes(errno)) return [errno, 0];
        throw new Broken(`the application got an error: ${String(error)} for ${sql}`);
      }
    }
    return [0, id];
  }

  /** Whether the transaction has to be given up, which is right only where there is a reason for it. */
  private gone(writer: Writer, errno: number, alone: boolean): boolean {
    if (errno === STALE_VIEW) {
      if (this.tables.changed && writer.open?.before === true) return true;
      throw new Broken('1412 for a transaction that began after the swap');
    }
    if (!BUSY.includes(errno)) return false;
    const others = this.writers.some(({ open }) => open !== null && open !== writer.open);
    if (!others && alone) throw new Broken(`the application met a lock (${errno}), and had none itself`);
    return true;
  }

  async begin(number: number, snapshot: boolean): Promise<void> {
    const writer = this.writers[number]!;
    if (writer.open !== null) return;
    await writer.client.query(`START TRANSACTION${snapshot ? ' WITH CONSISTENT SNAPSHOT' : ''}`);
    writer.open = { touched: new Set(), before: !this.tables.changed };
  }

  async end(number: number, commit: boolean): Promise<void> {
    const writer = this.writers[number]!;
    if (writer.open === null) return;
    await writer.client.query(commit ? 'COMMIT' : 'ROLLBACK');
    writer.open = null;
  }

  /** Ends the transactions that hold the table; and, where they must not be open at the swap, every other. */
  async endThose(which: 'holding' | 'all', commit: boolean): Promise<void> {
    for (const [i, { open }] of this.writers.entries()) {
      if (open !== null && (which === 'all' || open.touched.size > 0)) await this.end(i, commit);
    }
    if (which === 'all') await this.reader.close();
  }

  close(): void {
    this.tables.close();
    for (const client of this.clients) client.destroy();
  }
}
