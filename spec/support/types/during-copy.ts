import type { Knex } from 'knex';

import { aroundQueries, type Callback } from '../test-table-statements';

const CHUNK = /^INSERT INTO .*_lhmn` .* FORCE INDEX/s;

/**
 * Makes an application write before and after rows reach the new table, in a chunk or a batch of changes: the statement is
 * held back until the application is done, and so is its answer.
 *
 * @param write awaited; told the turn, from 0 on
 * @param turns how often at most
 * @returns how often it was, for checks
 */
export function duringCopy(
  knex: Knex,
  write: (turn: number) => Promise<void>,
  turns: number,
): { readonly turns: number } {
  const state = { turns: 0 };
  let locked = false;
  const next = async (): Promise<void> => {
    if (!locked && state.turns < turns) await write(state.turns++);
  };
  aroundQueries(knex, (query) => (sql, values, callback) => {
    // From here on the application would wait.
    locked ||= /^LOCK TABLES .*_lhmn/.test(sql);
    if (!CHUNK.test(sql)) return query(sql, values, callback);
    const fail = (error: unknown): void => callback(error as Parameters<Callback>[0]);
    return next().then(() => {
      query(sql, values, (...answer) => {
        next().then(() => callback(...answer), fail);
      });
    }, fail);
  });
  return state;
}
