import { expect } from 'chai';
import type { Connection, ResultSetHeader } from 'mysql2/promise';

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

const both = (sql: string): [string, string] => [sql.replaceAll('@', ''), sql.replaceAll('@', '_s')];

export async function createTwins(test: TestTable, { setup }: TwinTables): Promise<void> {
  await test.query('DROP TABLE IF EXISTS emails');
  for (const sql of setup) for (const one of both(sql)) await test.query(one);
}

/** What writers have seen. */
export interface Seen {
  committed: number;
  deadlocks: number;
  /** By the twin already: as the keys want it. */
  refused: number;
  readonly wrong: string[];
  /** The longest a transaction took, in ms. */
  longestMs: number;
}

/** Writes until `stop` is called, which resolves with what was seen. */
export async function writeTwins(
  test: TestTable,
  tables: TwinTables,
  writers: number,
  seed: number,
): Promise<{ stop: () => Promise<Seen> }> {
  const seen: Seen = { committed: 0, deadlocks: 0, refused: 0, wrong: [], longestMs: 0 };
  const state = { stopped: false };
  let last = 1000;
  const fresh = (): number => ++last;
  const running: Promise<void>[] = [];
  for (let writer = 0; writer < writers; writer++) {
    const client = await test.connect();
    await client.query('SET SESSION lock_wait_timeout = 30, SESSION innodb_lock_wait_timeout = 30');
    if (writer % 2 === 1) await client.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    const random = generator(seed * 100 + writer);
    const any = (most: number): number => 1 + Math.floor(random() * most);
    running.push(
      (async () => {
        while (!state.stopped) {
          const change = tables.changes[any(tables.changes.length) - 1]!({ any, fresh });
          const started = performance.now();
          await oneChange(client, change, seen);
          seen.longestMs = Math.max(seen.longestMs, performance.now() - started);
          // A table that grows faster than small chunks are copied would never be done.
          await new Promise((resolve) => setTimeout(resolve, any(8)));
        }
      })(),
    );
  }
  return {
    stop: async () => {
      state.stopped = true;
      await Promise.all(running);
      return seen;
    },
  };
}

/**
 * The twin first: what it allows is locked by then, and nobody can make it impossible for the table itself any more. So
 * if that fails nevertheless, and for no deadlock, the migration is to blame.
 */
async function oneChange(client: Connection, change: readonly string[], seen: Seen): Promise<void> {
  let doing: 'the twin' | 'the table' = 'the twin';
  try {
    await client.query('START TRANSACTION');
    for (const sql of change) {
      const [{ affectedRows }] = await client.query<ResultSetHeader>(both(sql)[1]);
      if (affectedRows > 0) continue;
      // Nothing is locked by it, so the two need not come to the same.
      await client.query('ROLLBACK');
      return;
    }
    doing = 'the table';
    for (const sql of change) await client.query(both(sql)[0]);
    await client.query('COMMIT');
    seen.committed++;
  } catch (error) {
    const { errno = 0, message } = error as { errno?: number; message: string };
    await client.query('ROLLBACK');
    if (errno === 1213) seen.deadlocks++;
    else if (doing === 'the twin' && REFUSALS.has(errno)) seen.refused++;
    else seen.wrong.push(`${doing}: ${change.join('; ')}: ${message}`);
  }
}

/** A child in the way, no parent, or a key that is there already. */
const REFUSALS = new Set([1451, 1452, 1062]);

/** Both tables of every pair hold the same rows. */
export async function expectTwins(test: TestTable, { compared }: TwinTables): Promise<void> {
  for (const [table, columns] of Object.entries(compared)) {
    const [one, other] = await Promise.all(
      ['', '_s'].map((suffix) => test.query(`SELECT ${columns} FROM ${table}${suffix} ORDER BY 1, 2`)),
    );
    const lines = (rows: unknown[]): string[] => rows.map((row) => JSON.stringify(row));
    const [left, right] = [new Set(lines(one!)), new Set(lines(other!))];
    expect(
      {
        invented: [...left].filter((line) => !right.has(line)),
        lost: [...right].filter((line) => !left.has(line)),
      },
      table,
    ).to.deep.equal({ invented: [], lost: [] });
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
