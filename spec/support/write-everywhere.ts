import { expect } from 'chai';

import type { HookOptions } from '../../lib';
import type { TestTable } from './test-table';
import { intercept, type Interception } from './test-table-statements';

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
  { match: /^DELETE FROM .*_lhmn` USING/s, when: 'after', skip: 3 },
  { match: /^SELECT hadron_rows|^INSERT INTO .*_lhmx/, when: 'after', skip: 3 },
  { match: /^LOCK TABLES .*_lhmn/, when: 'before' },
];

const HOOKS = ['beforeRowCopy', 'afterRowCopy', 'beforeCutOver'] as const;

/** How often is written. */
export const TURNS = PLACES.length + HOOKS.length;

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
      expect(places.map(({ happened }) => happened)).to.deep.equal(places.map(() => true));
      expect(turn).to.equal(TURNS);
    },
  };
}
