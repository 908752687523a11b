import { expect } from 'chai';

import { KeyedTwins } from '../support/keys/keyed-twins';
import { keyKinds } from '../support/keys/keyed-table';
import { expectNoLeaks } from '../support/leak-guard';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { intercept, type Interception } from '../support/test-table-statements';

const ROWS = 60;
const CHUNK = 5;

/** Places in the midst of the work, beside those that hooks have. */
const PLACES: readonly Omit<Interception, 'run'>[] = [
  // Between the end of a chunk being found and its rows being read; before and after these are; within a batch of changes.
  { match: / LIMIT 1 OFFSET \d+$/, when: 'after', skip: 2 },
  { match: /^INSERT INTO .*_lhmn` .* FORCE INDEX/s, when: 'before', skip: 5 },
  { match: /^INSERT INTO .*_lhmn` .* FORCE INDEX/s, when: 'after', skip: 8 },
  { match: /^SELECT hadron_seq, .* AS hadron_inside/s, when: 'after', skip: 6 },
  { match: /^DELETE FROM .*_lhmn` USING/s, when: 'after', skip: 3 },
  { match: /^SELECT hadron_rows|^INSERT INTO .*_lhmx/, when: 'after', skip: 3 },
  { match: /^LOCK TABLES .*_lhmn/, when: 'before' },
];

const HOOKS = ['beforeRowCopy', 'afterRowCopy', 'beforeCutOver'] as const;

for (const flavor of availableFlavors()) {
  const strategies = flavor === 'mysql' ? (['rename-under-lock', 'sentry'] as const) : (['sentry'] as const);

  describe(`chunk keys on ${flavor}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    for (const [name, kind] of keyKinds(flavor)) {
      for (const strategy of strategies) {
        it(`${name}, swapped by ${strategy}: every row and every change arrives`, async () => {
          const twins = await KeyedTwins.create(server, kind, ROWS, PLACES.length + HOOKS.length);
          const { test } = twins;
          try {
            let turn = 0;
            const write = (): Promise<void> => twins.write(turn++);
            const places = PLACES.map((place) => intercept(test.knex, { ...place, run: write }));
            // Waits for the lock that the swap holds, and is served by the new table.
            let last: Promise<unknown> = Promise.resolve();
            const swap = intercept(test.knex, {
              ...{ match: /^RENAME TABLE/, when: 'before' },
              run: () => {
                last = twins.insertLast();
                last.catch(() => undefined);
              },
            });
            const alter = kind.alter ?? 'ADD COLUMN extra INT NULL';
            const result = await test.migrate(alter, {
              ...{ chunk: { rows: CHUNK }, verify: { rows: 2 * CHUNK }, cutOver: { strategy } },
              hooks: Object.fromEntries(HOOKS.map((hook) => [hook, write])),
            });
            await last;
            expect(turn).to.equal(PLACES.length + HOOKS.length);
            expect([...places, swap].every(({ happened }) => happened)).to.equal(true);
            expect(result.changesApplied).to.be.above(ROWS / 2);
            expect(result.verified.notCompared).to.equal(0);
            await test.query(`ALTER TABLE twin ${alter}`);
            expect(await twins.definition('emails')).to.equal(await twins.definition('twin'));
            expect(await twins.contents('emails')).to.deep.equal(await twins.contents('twin'));
            await expectNoLeaks(test);
          } finally {
            await test.drop();
          }
        });
      }
    }
  });
}
