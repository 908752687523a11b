import type { Knex } from 'knex';

import { aroundQueries, type Callback } from '../test-table-statements';

const CHUNK = /^INSERT INTO .*_lhmn` .* FORCE INDEX/s;

/** Both ways to compare, with the scratch table and without. */
const COMPARISON = /^SELECT hadron_rows, |^INSERT INTO .*_lhmx_\d+` .* FORCE INDEX/s;

/** Keys of the journal or of the recheck table. */
const KEYS = /^SELECT hadron_seq, .* FROM .*_lhm([jr])_\d+`.* ORDER BY hadron_seq LIMIT \d+$/s;

/**
 * Makes an application write before and after rows reach the new table, in a chunk or a batch of changes: the statement is
 * held back until the application is done, and so is its answer. It goes on while rows are compared, and of the keys that are
 * applied or compared again, three statements out of four get a single one, for which a server's optimizer has ways of its own.
 *
 * @param write awaited; told the turn, from 0 on
 * @param turns how often at most while rows are copied
 * @param more and how often while they are compared
 * @returns how often it was, for checks
 */
export function duringCopy(
  knex: Knex,
  write: (turn: number) => Promise<void>,
  turns: number,
  more = 0,
): { readonly turns: number } {
  const state = { turns: 0 };
  let locked = false;
  const reads: Record<string, number> = { j: 0, r: 0 };
  const next = async (most: number): Promise<void> => {
    if (!locked && state.turns < most) await write(state.turns++);
  };
  aroundQueries(knex, (query) => (sql, values, callback) => {
    // From here on the application would wait.
    locked ||= /^LOCK TABLES .*_lhmn/.test(sql);
    const keys = KEYS.exec(sql)?.[1];
    if (keys !== undefined && reads[keys]!++ % 4 < 3)
      return query(sql.replace(/\d+$/, '1'), values, callback);
    const comparing = COMPARISON.test(sql);
    if (!comparing && !CHUNK.test(sql)) return query(sql, values, callback);
    const most = comparing ? turns + more : turns;
    const fail = (error: unknown): void => callback(error as Parameters<Callback>[0]);
    return next(most).then(() => {
      query(sql, values, (...answer) => {
        next(most).then(() => callback(...answer), fail);
      });
    }, fail);
  });
  return state;
}
