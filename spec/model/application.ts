import { createConnection, type Connection } from 'mysql2/promise';
import type { RunningServer } from '../support/servers';
import { DmlSql, touches, type Dml } from './dml';
import { alterOf, createSql, keyOf, type Shape } from './shape';
import { CONNECTIONS } from './steps';

export const TABLE = 'emails';
const TWIN = 'twin';

/** A promise that was broken. */
export class Broken extends Error {}

const DUPLICATE = 1062;
/** Lock wait timeout, deadlock, "record has changed since last read": the transaction is rolled back, and that is that. */
const BUSY = [1205, 1213, 1020];
const STALE_VIEW = 1412;

interface Writer {
  readonly client: Connection;
  /** An open transaction: what it may have locked, and whether it began before the swap. */
  open: { touched: Set<string>; before: boolean } | null;
}

/** The application on the table, and its twin: a table that nobody migrates, fed with the same statements. */
export class Application {
  private changed = false;
  private highest = 0;
  private view: { rows: string[]; before: boolean } | null = null;
  /** Statements that were done, for a summary. */
  done = 0;

  private constructor(
    private readonly shape: Shape,
    private readonly admin: Connection,
    private readonly writers: readonly Writer[],
    private readonly viewer: Connection,
  ) {}

  /** In an empty database of its own. */
  static async create(server: RunningServer, database: string, shape: Shape): Promise<Application> {
    const connect = async (level: string): Promise<Connection> => {
      const client = await createConnection({
        ...server.connection,
        ...{ dateStrings: true, supportBigNumbers: true, bigNumberStrings: true, rowsAsArray: true },
      });
      client.on('error', () => undefined);
      const wait = server.flavor === 'mariadb' ? 0 : 1;
      await client.query(
        `SET SESSION innodb_lock_wait_timeout = ${wait}, SESSION lock_wait_timeout = 2, SESSION time_zone = '+00:00', SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_AUTO_VALUE_ON_ZERO')`,
      );
      await client.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`);
      return client;
    };
    const admin = await connect('READ COMMITTED');
    await admin.query(`DROP DATABASE IF EXISTS ${database}`);
    await admin.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
    const clients: Connection[] = [];
    for (let i = 0; i <= CONNECTIONS; i++)
      clients.push(await connect(i % 2 === 0 ? 'READ COMMITTED' : 'REPEATABLE READ'));
    for (const client of [admin, ...clients]) await client.query(`USE ${database}`);
    for (const table of [TABLE, TWIN]) await admin.query(createSql(shape, table));
    const writers = clients.slice(0, CONNECTIONS).map((client): Writer => ({ client, open: null }));
    const application = new Application(shape, admin, writers, clients[CONNECTIONS]!);
    for (let key = 0; key < shape.rows; key++) {
      const values = { uniq: key, loose: 100 + key, num: key, amount: key / 4, note: `row ${key}` };
      await application.run(0, { do: 'insert', key, values });
    }
    return application;
  }

  /**
   * Runs a statement on both tables, in one transaction; not at all where it would wait for another connection.
   *
   * @param only `alone`: not where it would be part of a longer transaction
   */
  async run(number: number, dml: Dml, only: 'alone' | 'anyhow' = 'anyhow'): Promise<void> {
    const writer = this.writers[number]!;
    if (this.meetsOthers(writer, dml) || (only === 'alone' && writer.open !== null)) return;
    const statements = this.sql(TABLE).render(dml);
    if (statements.length === 0) return;
    const alone = writer.open === null;
    if (alone) await writer.client.query('START TRANSACTION');
    await writer.client.query('SAVEPOINT before_it');
    const [errno, given] = await this.attempt(writer, statements);
    const twins = this.sql(TWIN);
    const again = dml.do === 'insertAuto' ? [twins.withKey(dml, given)] : twins.render(dml);
    const twin = this.gone(writer, errno, alone)
      ? errno
      : (await this.attempt(writer, errno === 0 || dml.do !== 'insertAuto' ? again : []))[0];
    if (this.gone(writer, twin, alone)) {
      await writer.client.query('ROLLBACK');
      writer.open = null;
      return;
    }
    if (errno !== twin && dml.do !== 'insertAuto')
      throw new Broken(
        `${statements.join('; ')} ended with error ${errno}, and with ${twin} on a table that is not migrated`,
      );
    if (errno === 0 && dml.do === 'insertAuto') {
      if (given <= this.highest) throw new Broken(`the server gave out id ${given} after ${this.highest}`);
      this.highest = given;
    }
    if (errno !== 0 || twin !== 0) await writer.client.query('ROLLBACK TO before_it');
    else this.done += 1;
    if (alone) await writer.client.query('COMMIT');
    else this.remember(writer, dml);
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
      if (this.changed && writer.open?.before === true) return true;
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
    writer.open = { touched: new Set(), before: !this.changed };
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
    if (which === 'all') await this.closeView();
  }

  async openView(): Promise<void> {
    await this.closeView();
    await this.viewer.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    this.view = { rows: await this.rowsOf(TWIN), before: !this.changed };
  }

  /** In one snapshot the table is what its twin was, or the server says that the snapshot is too old. */
  async look(): Promise<void> {
    if (this.view === null) await this.openView();
    const { rows, before } = this.view!;
    try {
      const seen = await this.rowsOf(TABLE, this.viewer);
      if (JSON.stringify(seen) !== JSON.stringify(rows))
        throw new Broken(`a snapshot shows ${seen.join(' ')} instead of ${rows.join(' ')}`);
    } catch (error) {
      const stale = (error as { errno?: number }).errno === STALE_VIEW && before && this.changed;
      if (!stale) throw error;
    } finally {
      await this.closeView();
    }
  }

  private async closeView(): Promise<void> {
    if (this.view === null) return;
    this.view = null;
    await this.viewer.query('ROLLBACK');
  }

  /** What committed rows there are, each as one text. */
  private async rowsOf(table: string, client = this.admin): Promise<string[]> {
    const [rows] = await client.query(`SELECT ${this.sql(table).columns} FROM ${table}`);
    return (rows as unknown[]).map((row) => JSON.stringify(row)).sort();
  }

  private sql(table: string): DmlSql {
    return new DmlSql(this.shape, table, this.changed);
  }

  /** Whether committed rows break the new definition's rule right now. */
  async collides(): Promise<boolean> {
    const [rows] = await this.admin.query(
      `SELECT loose FROM ${TWIN} WHERE loose IS NOT NULL GROUP BY loose HAVING COUNT(*) > 1`,
    );
    return (rows as unknown[]).length > 0;
  }

  /** From here on the twin is what a native ALTER makes of it. */
  async swapped(): Promise<void> {
    this.changed = true;
    await this.admin.query(`ALTER TABLE ${TWIN} ${alterOf(this.shape)}`).catch((error: unknown) => {
      throw new Broken(`a native ALTER fails: ${String(error)}`);
    });
  }

  /** Both tables are the same, definition and every row. */
  async compare(): Promise<void> {
    await this.endThose('all', true);
    const definitions: string[] = [];
    const contents: string[] = [];
    for (const table of [TABLE, TWIN]) {
      const [created] = await this.admin.query(`SHOW CREATE TABLE ${table}`);
      const text = (created as string[][])[0]![1]!;
      definitions.push(text.replace(table, 'it').replace(/ AUTO_INCREMENT=\d+/, ''));
      const [rows] = await this.admin.query(`SELECT * FROM ${table}`);
      contents.push(
        (rows as unknown[])
          .map((row) => JSON.stringify(row))
          .sort()
          .join('\n'),
      );
    }
    if (definitions[0] !== definitions[1])
      throw new Broken(`${definitions[0]}\ninstead of\n${definitions[1]}`);
    if (contents[0] !== contents[1]) throw new Broken(`rows\n${contents[0]}\ninstead of\n${contents[1]}`);
    const [tables] = await this.admin.query(
      `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME REGEXP '_lhm[njsrx]' UNION ALL SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()`,
    );
    if ((tables as unknown[]).length > 0) throw new Broken(`left over: ${JSON.stringify(tables)}`);
  }

  kill(connection: number): Promise<unknown> {
    return this.admin.query(`KILL ${connection}`).catch(() => undefined);
  }

  close(): void {
    for (const client of [this.admin, this.viewer, ...this.writers.map((writer) => writer.client)])
      client.destroy();
  }

  get key(): string {
    return keyOf(this.shape).index;
  }
}
