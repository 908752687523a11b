import type { Connection } from 'mysql2/promise';

import type { RunningServer } from '../servers';
import { expectSame } from '../same-tables';
import type { TestTable } from '../test-table';
import { createKeyed, tuple } from './keyed-table';
import type { KeyKind, KeySql } from './kinds';

/** A table to be migrated, and a twin that the same changes are made to, and nothing else. */
export class KeyedTwins {
  private next: number;

  private constructor(
    readonly test: TestTable,
    private readonly sql: Connection,
    private readonly kind: KeyKind,
    private readonly rows: number,
    private readonly turns: number,
  ) {
    this.next = rows;
  }

  /** @param turns how often there will be written */
  static async create(
    server: RunningServer,
    kind: KeyKind,
    rows: number,
    turns: number,
  ): Promise<KeyedTwins> {
    const { test, sql } = await createKeyed(server, kind, rows);
    await test.query('CREATE TABLE twin LIKE emails');
    const columns = [...kind.key, 'n', 'note'].join(', ');
    await sql.query(`INSERT INTO twin (${columns}) SELECT ${columns} FROM emails`);
    return new KeyedTwins(test, sql, kind, rows, turns);
  }

  /** All sorts of changes in a turn's own rows, which lie all over the table. */
  async write(turn: number): Promise<void> {
    const { kind, rows, turns } = this;
    const own = Array.from({ length: Math.floor(rows / turns) }, (_, i) => turn + i * turns);
    const [updated = 0, deleted = 0, again = 0, moved = 0, taking = 0, replaced = 0] = own;
    const names = tuple(kind.key);
    const is = (i: number): string => `${names} = ${tuple(kind.value(i))}`;
    const becomes = (key: KeySql): string => {
      const parts = typeof key === 'string' ? [key] : key;
      return kind.key.map((name, i) => `${name} = ${parts[i] ?? ''}`).join(', ');
    };
    const insert = (i: number): string =>
      `INTO ! (${kind.key.join(', ')}, n, note) VALUES (${[this.kind.value(i)].flat().join(', ')}, ${i}, 'turn ${turn}')`;
    await this.both([
      `UPDATE ! SET n = n + 1${kind.respelled ? `, ${becomes(kind.respelled(updated))}` : ''} WHERE ${is(updated)}`,
      `DELETE FROM ! WHERE ${is(deleted)}`,
      `DELETE FROM ! WHERE ${is(again)}`,
      `INSERT ${insert(again)}`,
      `UPDATE ! SET n = n + 2, ${becomes(kind.value(this.next++))} WHERE ${is(moved)}`,
      `UPDATE ! SET ${becomes(kind.value(deleted))} WHERE ${is(taking)}`,
      `REPLACE ${insert(replaced)}`,
      `INSERT ${insert(this.next++)}`,
      `UPDATE ! SET n = n + 3 WHERE ${is(this.next - 1)}`,
      `UPDATE ! SET n = n + 10 ORDER BY n LIMIT 1`,
    ]);
  }

  /** One row, in a connection of its own, because it may have to wait. */
  async insertLast(): Promise<void> {
    const i = this.next++;
    const client = await this.test.connect();
    await client.query("SET time_zone = '+05:00'");
    const values = [...[this.kind.value(i)].flat(), String(i)].join(', ');
    for (const table of ['emails', 'twin']) {
      await client.query(`INSERT INTO ${table} (${this.kind.key.join(', ')}, n) VALUES (${values})`);
    }
  }

  async expectSame(): Promise<void> {
    await expectSame(this.test, 'emails', 'twin');
  }

  /** In one transaction for each table: the same for both, whatever else is running. */
  private async both(statements: readonly string[]): Promise<void> {
    for (const table of ['emails', 'twin']) {
      await this.sql.query('START TRANSACTION');
      for (const statement of statements) await this.sql.query(statement.replaceAll('!', table));
      await this.sql.query('COMMIT');
    }
  }
}
