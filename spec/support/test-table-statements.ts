import type { Knex } from 'knex';
import type { Connection, QueryError } from 'mysql2';

/** Does something when the library's own connections are about to send a statement, or have just had its answer. */
export interface Interception {
  readonly match: RegExp;
  readonly when: 'before' | 'after';
  /** How many matching statements are let pass first. Default 0. */
  readonly skip?: number;
  /** `before`: the statement is sent once this has ended; `after`: the answer is held back until then. */
  readonly run: (connectionId: number, sql: string) => void | Promise<void>;
  /** Sends another statement in its place. */
  readonly rewrite?: (sql: string) => string;
}

export type Callback = (error: QueryError | null, result?: unknown, fields?: unknown) => void;
export type Query = (sql: string, values: unknown[], callback: Callback) => unknown;

/** Puts something around every statement of the connections that are opened from the Knex's settings from now on. */
export function aroundQueries(knex: Knex, around: (query: Query, connection: Connection) => Query): void {
  const client = knex.client as { driver: { createConnection(options: unknown): Connection } };
  const { driver } = client;
  client.driver = {
    ...driver,
    createConnection: (options: unknown) => {
      const connection = driver.createConnection(options);
      const query = connection.query.bind(connection) as unknown as Query;
      connection.query = around(query, connection) as unknown as Connection['query'];
      return connection;
    },
  };
}

/** Keeps back the statements that match, from `hold` on and until `free`. */
export function keptBack(knex: Knex, match: RegExp): { hold(): void; free(): void } {
  const kept: (() => void)[] = [];
  let holding = false;
  aroundQueries(knex, (query) => (sql, values, callback) => {
    if (!holding || !match.test(sql)) return query(sql, values, callback);
    kept.push(() => query(sql, values, callback));
    return undefined;
  });
  return {
    hold: () => (holding = true),
    free: () => {
      holding = false;
      for (const send of kept.splice(0)) send();
    },
  };
}

/**
 * Makes the connections that are opened from the Knex's settings run `run` once, at the first statement that matches:
 * a place in a migration that no hook has, found without waiting for it.
 */
export function intercept(
  knex: Knex,
  { match, when, skip = 0, run, rewrite = (sql) => sql }: Interception,
): { happened: boolean } {
  const state = { happened: false };
  let passed = 0;
  aroundQueries(knex, (query, connection) => (sql, values, callback) => {
    if (state.happened || !match.test(sql) || passed++ < skip) return query(sql, values, callback);
    state.happened = true;
    const act = (): Promise<void> => Promise.resolve(run(connection.threadId, sql));
    const fail = (error: unknown): void => callback(error as QueryError);
    if (when === 'before') {
      return act().then(() => {
        query(rewrite(sql), values, callback);
      }, fail);
    }
    return query(rewrite(sql), values, (...answer) => {
      act().then(() => callback(...answer), fail);
    });
  });
  return state;
}
