import { expect } from 'chai';

import type { HookOptions } from '../../lib';
import type { TestTable } from './test-table';
import { intercept, type Interception } from './test-table-statements';

/** Before it whoever writes is not held up; behind it, until the swap. */
const LOCK = /^LOCK TABLES .*_lhmn/;

/** How many there are depends on how soon changes come out of the binary log. */
const BATCH = /^DELETE FROM .*_lhmn` USING/s;

/**
 * Places in the midst of the work, beside those that hooks have: between the end of a chunk being found and its rows being
 * read, before and after these are, within a batch of changes, while rows are compared, and before the last lock. For
 * tables of a dozen chunks.
 */
const PLACES: readonly Omit<Interception, 'run'>[] = [
  { match: / LIMIT 1 OFFSET \d+$/, when: 'after', skip: 2 },
  { match: /^INSERT INTO .*_lhmn` .* FORCE INDEX/s, when: 'before', skip: 5 },
  { match: /^INSERT INTO .*_lhmn` .* FORCE INDEX/s, when: 'after', skip: 8 },
  { match: /^SELECT hadron_seq, .* AS hadron_inside/s, when: 'after', skip: 6 },
  { match: BATCH, when: 'after', skip: 3 },
  { match: /^SELECT hadron_rows|^INSERT INTO .*_lhmx/, when: 'after', skip: 3 },
];

const HOOKS = ['beforeRowCopy', 'afterRowCopy', 'beforeCutOver'] as const;

/** How often is written. */
export const TURNS = PLACES.length + 1 + HOOKS.length;

export interface WritingEverywhere {
  readonly hooks: HookOptions;
  /** Resolves when the last write has ended; checks that there was one at each place. */
  done(): Promise<void>;
}

/**
 * Makes an application write at every place of the next migration.
 *
 * @param write awaited; told the turn, from 0 on
 * @param last begun when the swap is about to be asked for, and not awaited: it waits for the lock that is held
 */
export function writeEverywhere(
  test: TestTable,
  write: (turn: number) => Promise<void>,
  last: () => Promise<void>,
): WritingEverywhere {
  let turn = 0;
  const run = (): Promise<void> => write(turn++);
  const places = PLACES.map((place) => intercept(test.knex, { ...place, run }));
  const missed: RegExp[] = [];
  const lock = intercept(test.knex, {
    ...{ match: LOCK, when: 'before' },
    run: async () => {
      for (const [i, place] of places.entries()) {
        if (place.happened) continue;
        // Under the lock the write would wait for a statement that waits for it.
        place.happened = true;
        missed.push(PLACES[i]!.match);
        await run();
      }
      await run();
    },
  });
  let ended: Promise<void> = Promise.reject(new Error('the swap was not asked for'));
  ended.catch(() => undefined);
  intercept(test.knex, {
    ...{ match: /^RENAME TABLE/, when: 'before' },
    run: () => {
      ended = last();
      ended.catch(() => undefined);
    },
  });
  return {
    hooks: Object.fromEntries(HOOKS.map((hook) => [hook, run])),
    done: async () => {
      await ended;
      expect(lock.happened).to.equal(true);
      expect(missed).to.deep.equal(missed.filter((at) => test.server.mode === 'binlog' && at === BATCH));
      expect(turn).to.equal(TURNS);
    },
  };
}
