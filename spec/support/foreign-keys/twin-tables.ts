import { expect } from 'chai';

import type { TestTable } from '../test-table';

/**
 * Tables with keys between them, each with a twin (`_s`) that nobody migrates. Every change is made to both in one
 * transaction, cascades included; so whatever the migration did, the two must end alike.
 */
export interface TwinTables {
  /** Statements that make the tables, with `@` where the twin's suffix goes. */
  readonly setup: readonly string[];
  /** The tables that are compared, without the suffix, and by which columns. */
  readonly compared: Readonly<Record<string, string>>;
  /** Changes that writers make, chosen at random; `@` as above. Several statements are one transaction. */
  readonly changes: readonly ((pick: Pick) => string[])[];
}

/** What a change is made of. */
export interface Pick {
  /** A number from 1 to `most`. */
  readonly any: (most: number) => number;
  /** A number that no other change has. */
  readonly fresh: () => number;
}

/** What runs SQL and gives its rows. */
export type Query = (sql: string) => Promise<unknown[]>;

const SUFFIXES = ['', '_s'] as const;

/** In place of a table `emails` that may be there. */
export async function createTwins(query: Query, { setup }: TwinTables): Promise<void> {
  await query('DROP TABLE IF EXISTS emails');
  for (const sql of setup) for (const suffix of SUFFIXES) await query(sql.replaceAll('@', suffix));
}

/** By table: rows that it has and its twin has not, and the other way round. Empty where all are the same. */
export type Differences = Record<string, { readonly invented: string[]; readonly lost: string[] }>;

export async function differences(query: Query, { compared }: TwinTables): Promise<Differences> {
  const found: Differences = {};
  for (const [table, columns] of Object.entries(compared)) {
    const read = async (suffix: string): Promise<Set<string>> => {
      const rows = await query(`SELECT ${columns} FROM ${table}${suffix} ORDER BY 1, 2`);
      return new Set(rows.map((row) => JSON.stringify(row)));
    };
    const [left, right] = [await read(SUFFIXES[0]), await read(SUFFIXES[1])];
    const invented = [...left].filter((line) => !right.has(line));
    const lost = [...right].filter((line) => !left.has(line));
    if (invented.length + lost.length > 0) found[table] = { invented, lost };
  }
  return found;
}

/** Both tables of every pair hold the same rows. */
export async function expectTwins(test: TestTable, tables: TwinTables): Promise<void> {
  expect(await differences((sql) => test.query(sql), tables)).to.deep.equal({});
}
