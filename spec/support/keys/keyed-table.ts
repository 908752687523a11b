import type { Connection } from 'mysql2/promise';

import type { Flavor, RunningServer } from '../servers';
import { TestTable } from '../test-table';
import { KEY_KINDS, type KeyKind, type KeySql } from './kinds';

export function keyKinds(flavor: Flavor): (readonly [string, KeyKind])[] {
  return Object.entries(KEY_KINDS).filter(([, { only = flavor }]) => only === flavor);
}

/** `(a, b)` or `(1, 2)`. */
export function tuple(parts: KeySql): string {
  return `(${typeof parts === 'string' ? parts : parts.join(', ')})`;
}

export interface KeyedTable {
  readonly test: TestTable;
  /** An application's connection, in a time zone of its own. */
  readonly sql: Connection;
}

/** A table of that kind with the rows 0 to `rows - 1`. */
export async function createKeyed(server: RunningServer, kind: KeyKind, rows: number): Promise<KeyedTable> {
  const test = await TestTable.create(server, {
    columns: `${kind.columns}, n INT NOT NULL DEFAULT 0, note VARCHAR(10)`,
  });
  if (kind.options !== undefined) await test.query(`ALTER TABLE emails ${kind.options}`);
  const sql = await test.connect();
  await sql.query(
    "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO'), time_zone = '+05:00'",
  );
  const keys = Array.from({ length: rows }, (_, i) => tuple(kind.value(i)));
  await sql.query(`INSERT INTO emails ${tuple(kind.key)} VALUES ${keys.join(', ')}`);
  return { test, sql };
}
