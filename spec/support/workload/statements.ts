import type { ReadStep, WriteStep } from './plan';
import { COLUMNS, toCells, type Cell, type Column, type Row } from './row';
import type { Tables } from './tables';

export type Patch = Partial<Omit<Row, 'id'>>;

/** Columns are always named: the migration may add some while the application runs. */
export const COLUMN_LIST = COLUMNS.join(', ');
const MARKS = COLUMNS.map(() => '?').join(', ');

export function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

/** The application's statements on one pair of tables. */
export class Statements {
  constructor(readonly tables: Tables) {}

  insert(row: Row): WriteStep {
    return { ...this.#put('INSERT INTO', row), affected: 1 };
  }

  /** The server gives the id; the row's own is not used. */
  insertAuto(row: Row, onInsertId: (id: number) => void): WriteStep {
    const columns = COLUMNS.filter((column) => column !== 'id');
    const sql = `INSERT INTO ${this.tables.ledger} (${columns.join(', ')}) VALUES (${marks(columns)})`;
    return { sql, values: columns.map((column) => row[column]), affected: 1, id: 0, onInsertId };
  }

  replace(row: Row): WriteStep {
    return { ...this.#put('REPLACE INTO', row), affected: null };
  }

  /** `row` if its keys are free; otherwise `patch` is put on the row that has one of them. */
  upsert(row: Row, patch: Patch): WriteStep {
    const put = this.#put('INSERT INTO', row);
    const set = assignments(patch);
    return {
      ...put,
      sql: `${put.sql} ON DUPLICATE KEY UPDATE ${set.sql}`,
      values: [...put.values, ...set.values],
      affected: null,
    };
  }

  update(id: number, patch: Patch): WriteStep {
    const set = assignments(patch);
    const sql = `UPDATE ${this.tables.ledger} SET ${set.sql} WHERE id = ?`;
    return { sql, values: [...set.values, id], affected: 1, id };
  }

  updateMany(ids: readonly number[], patch: Patch): WriteStep {
    const set = assignments(patch);
    const sql = `UPDATE ${this.tables.ledger} SET ${set.sql} WHERE id IN (${marks(ids)})`;
    return { sql, values: [...set.values, ...ids], affected: ids.length, id: ids[0]! };
  }

  increment(ids: readonly number[]): WriteStep {
    const where = ids.length === 1 ? 'id = ?' : `id IN (${marks(ids)})`;
    const sql = `UPDATE ${this.tables.ledger} SET v = v + 1 WHERE ${where}`;
    return { sql, values: ids, affected: ids.length, id: ids[0]! };
  }

  /** Moves rows along the key. `patch` is for the columns that go with the id. */
  move(ids: readonly number[], by: number, patch: Patch): WriteStep {
    const set = assignments(patch);
    const sql = `UPDATE ${this.tables.ledger} SET ${['id = id + ?', set.sql].filter(Boolean).join(', ')} WHERE id IN (${marks(ids)})`;
    return { sql, values: [by, ...set.values, ...ids], affected: ids.length, id: ids[0]! };
  }

  remove(ids: readonly number[]): WriteStep {
    const sql = `DELETE FROM ${this.tables.ledger} WHERE id IN (${marks(ids)})`;
    return { sql, values: ids, affected: ids.length, id: ids[0]! };
  }

  read(row: Row, forUpdate = false): ReadStep {
    const sql = `SELECT ${COLUMN_LIST} FROM ${this.tables.ledger} WHERE id = ?${forUpdate ? ' FOR UPDATE' : ''}`;
    return { sql, values: [row.id], expect: [toCells(row)], id: row.id };
  }

  updatePair(id: number, version: number): WriteStep {
    const sql = `UPDATE ${this.tables.pair} SET version = ? WHERE id = ?`;
    return { sql, values: [version, id], affected: 1, id };
  }

  readPair(id: number, version: number): ReadStep {
    const sql = `SELECT version FROM ${this.tables.pair} WHERE id = ?`;
    return { sql, values: [id], expect: [[version]], id };
  }

  #put(verb: string, row: Row): Omit<WriteStep, 'affected'> {
    const sql = `${verb} ${this.tables.ledger} (${COLUMN_LIST}) VALUES (${MARKS})`;
    return { sql, values: toCells(row), id: row.id };
  }
}

function assignments(patch: Patch): { sql: string; values: Cell[] } {
  const columns = Object.keys(patch) as Exclude<Column, 'id'>[];
  return {
    sql: columns.map((column) => `${column} = ?`).join(', '),
    values: columns.map((column) => patch[column] ?? null),
  };
}
