import { expect } from 'chai';
import type { Connection, RowDataPacket } from 'mysql2/promise';

import type { RunningServer } from '../servers';
import { quote, TestTable } from '../test-table';
import type { Feature } from './feature';

const ROWS = 60;

/** Where rows are moved to, and new ones begin, apart from all others. */
const MOVED = 2000;
const NEW = 3000;

/**
 * A table to be migrated, and a twin of the same name in another database, so that everything in their definitions can be
 * the same. What is written to the one is written to the other; the twin is changed by the server itself.
 */
export class FeatureTwins {
  private constructor(
    readonly test: TestTable,
    private readonly feature: Feature,
    private readonly twin: string,
    private readonly sessions: readonly [Connection, Connection],
    private readonly turns: number,
  ) {}

  /** @param turns how often there will be written */
  static async create(server: RunningServer, feature: Feature, turns: number): Promise<FeatureTwins> {
    const table = feature.table ?? 'emails';
    const test = await TestTable.create(server, { table, columns: 'id INT' });
    await test.query(`DROP TABLE ${quote(table)}`);
    const twin = `${test.database}_twin`;
    await test.query(`CREATE DATABASE ${quote(twin)} CHARACTER SET utf8mb4`);
    const sessions = [await test.connect(), await test.connect({ database: twin })] as const;
    const twins = new FeatureTwins(test, feature, twin, sessions, turns);
    try {
      await twins.fill();
      return twins;
    } catch (error) {
      await twins.drop();
      throw error;
    }
  }

  private async fill(): Promise<void> {
    const { feature } = this;
    const rows = Array.from({ length: ROWS }, (_, i) => i + 1);
    await this.both([
      ...(feature.before ?? []),
      `CREATE TABLE ! (${feature.columns}) ${feature.options ?? 'ENGINE = InnoDB'}`,
      ...(feature.sqlMode === undefined ? [] : [`SET SESSION sql_mode = '${feature.sqlMode}'`]),
      ...rows.map((i) => this.insert(i)),
    ]);
  }

  /** All sorts of changes in a turn's own rows, which lie all over the table, in one transaction. */
  async write(turn: number): Promise<void> {
    const { feature, turns, key } = this;
    const own = Array.from({ length: Math.floor(ROWS / turns) }, (_, i) => 1 + turn + i * turns);
    const [updated = 0, deleted = 0, again = 0, moved = 0, taking = 0, replaced = 0] = own;
    const set = Object.entries(feature.row(500 + updated)).map(
      ([name, value]) => `${quote(name)} = ${value}`,
    );
    await this.both([
      'START TRANSACTION',
      `UPDATE ! SET ${set.join(', ')} WHERE ${key} = ${updated}`,
      `DELETE FROM ! WHERE ${key} = ${deleted}`,
      `DELETE FROM ! WHERE ${key} = ${again}`,
      this.insert(again),
      `UPDATE ! SET ${key} = ${MOVED - turn} WHERE ${key} = ${moved}`,
      `UPDATE ! SET ${key} = ${deleted} WHERE ${key} = ${taking}`,
      this.insert(replaced, 'REPLACE'),
      this.insert(NEW + turn, 'INSERT', feature.counter !== true),
      ...(feature.more?.(turn) ?? []),
      'COMMIT',
    ]);
  }

  /** One row, in connections of their own, because the first may have to wait. */
  async insertLast(): Promise<void> {
    const { test, feature, twin } = this;
    if (feature.unlast) return;
    const insert = this.insert(NEW + 500, 'INSERT', feature.counter !== true);
    for (const database of [test.database, twin]) {
      const session = await test.connect({ database });
      if (feature.sqlMode !== undefined) await session.query(`SET SESSION sql_mode = '${feature.sqlMode}'`);
      await session.query(this.named(insert));
    }
  }

  /** What the same change makes of the twin. */
  async alterTwin(): Promise<void> {
    const [, session] = this.sessions;
    const { alter, native = [`ALTER TABLE ! ${alter}`], folded } = this.feature;
    for (const statement of [...native, ...(folded ? ['ALTER TABLE ! FORCE'] : [])])
      await session.query(this.named(statement));
  }

  /** The tables have the same definition and the same rows, byte by byte. */
  async expectSame(): Promise<void> {
    const { feature } = this;
    const [definition, native] = [await this.definition(0), await this.definition(1)];
    expect(definition).to.equal(feature.otherwise?.(native, this.test.server.flavor) ?? native);
    const [rows, others] = [await this.contents(0), await this.contents(1)];
    // Not all of them, so that a failure shows those that matter.
    expect(rows.filter((row) => !others.includes(row))).to.deep.equal(
      others.filter((row) => !rows.includes(row)),
    );
    expect(rows).to.have.length(others.length);
    for (const column of feature.anew ?? []) await this.expectDistinct(column);
  }

  /** Runs the statements that must do the same to both, and compares again. */
  async goOn(): Promise<void> {
    const { after = [] } = this.feature;
    if (after.length === 0) return;
    await this.both(after);
    await this.expectSame();
  }

  async drop(): Promise<void> {
    await this.test.closeClients();
    await this.test.query(`DROP DATABASE ${quote(this.twin)}`);
    await this.test.drop();
  }

  private async expectDistinct(column: string): Promise<void> {
    const [row] = await this.test.query<{ rows: number; given: number }>(
      `SELECT COUNT(*) AS 'rows', COUNT(DISTINCT ${quote(column)}) AS given FROM ${quote(this.test.table)}`,
    );
    expect(row?.given, column).to.equal(row?.rows).and.be.above(ROWS);
  }

  private insert(i: number, verb = 'INSERT', withKey = true): string {
    const row = this.feature.row(i);
    const names = [...(withKey ? [this.key] : []), ...Object.keys(row).map(quote)];
    const values = [...(withKey ? [String(i)] : []), ...Object.values(row)];
    return `${verb} INTO ! (${names.join(', ')}) VALUES (${values.join(', ')})`;
  }

  private get key(): string {
    return quote(this.feature.key ?? 'id');
  }

  private async both(statements: readonly string[]): Promise<void> {
    for (const session of this.sessions) {
      try {
        for (const statement of statements) await session.query(this.named(statement));
      } catch (error) {
        // What it holds would keep the migration from cleaning up.
        await session.query('ROLLBACK');
        throw error;
      }
    }
  }

  private named(statement: string): string {
    return statement.replaceAll('!', quote(this.test.table));
  }

  /** Of the table (0) or the twin (1). */
  private async definition(which: 0 | 1): Promise<string> {
    const [rows] = await this.sessions[which].query<RowDataPacket[]>(this.named('SHOW CREATE TABLE !'));
    const definition = String(rows[0]?.['Create Table']).replaceAll(this.twin, this.test.database);
    return this.feature.numbered ? definition.replace(/ AUTO_INCREMENT=\d+/, '') : definition;
  }

  private async contents(which: 0 | 1): Promise<string[]> {
    const session = this.sessions[which];
    const [columns] = await session.query<RowDataPacket[]>(this.named('SHOW COLUMNS FROM !'));
    const left = [...(this.feature.anew ?? []), ...(this.feature.apart ?? [])];
    const names = columns.map(({ Field }) => String(Field)).filter((name) => !left.includes(name));
    const list = names.map((name) => `HEX(CAST(${quote(name)} AS BINARY)) AS ${quote(name)}`);
    const [rows] = await session.query<RowDataPacket[]>(this.named(`SELECT ${list.join(', ')} FROM !`));
    return rows.map((row) => JSON.stringify(row)).sort();
  }
}
