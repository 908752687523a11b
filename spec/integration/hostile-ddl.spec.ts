import { expect } from 'chai';

import type { LargeHadronError } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { ROWS, SEQUENCES, STATEMENTS, type Deed } from '../support/hostile/deeds';
import { queueAt, type Place } from '../support/hostile/queue';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { TestTable, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const SMALL_CHUNKS: Options = { chunk: { rows: 7 }, verify: { rows: 7 } };

/** Places where nothing is locked: a statement of ours before which the deed is done, or a hook. */
const PHASES: readonly (readonly [
  phase: string,
  at: RegExp | 'beforeRowCopy' | 'afterRowCopy' | 'beforeCutOver',
  skip?: number,
])[] = [
  ['after the capture', 'beforeRowCopy'],
  ['between two chunks', /^SELECT hadron_seq/, 3],
  ['in the catch-up', 'afterRowCopy'],
  ['in the verification', /^SELECT hadron_rows/, 1],
  ['before the cut-over', 'beforeCutOver'],
  ['just before the lock is asked for', /^LOCK TABLES .*_lhmn/],
];

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`the definition changed by others on ${on}`, function () {
    this.timeout(120_000);
    // With the binary log there are no triggers of ours.
    const isPossible = ({ sql }: Deed): boolean => mode === 'triggers' || !/TRIGGER/.test(sql.join());
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server, { rows: ROWS });
      await anotherSecond(test);
    });
    afterEach(() => test.drop());

    /** Nothing was swapped, the deed's effect is there, and what is left is told and can be removed. */
    async function expectRefused(error: LargeHadronError | null, deed: Deed): Promise<void> {
      expect(error, 'the error').not.to.equal(null);
      const told = `${error!.code} in ${error!.phase}, ${error!.outcome}: ${error!.message}`;
      expect(error!.code, told).to.match(deed.code instanceof RegExp ? deed.code : RegExp(`^${deed.code}$`));
      expect(error!.outcome, told).to.equal(deed.gone === true ? 'unknown' : 'rolled-back');
      if (deed.gone === true) for (const { sql } of error!.leftovers) await test.query(sql);
      else expect(error!.leftovers, told).to.deep.equal([]);
      await deed.holds(test, false);
      await expectNoLeaks(test);
    }

    for (const deed of every(2, [...STATEMENTS, ...SEQUENCES].filter(isPossible))) {
      for (const [phase, at, skip = 0] of every(3, PHASES)) {
        it(`${deed.what}, ${phase}: noticed, and nothing is swapped`, async () => {
          const does = async (): Promise<void> => {
            for (const sql of deed.sql) await test.query(sql);
          };
          for (const sql of deed.before ?? []) await test.query(sql);
          const hooks = typeof at === 'string' ? { [at]: does } : {};
          const done =
            typeof at === 'string'
              ? { happened: true }
              : intercept(test.knex, { match: at, when: 'before', skip, run: does });
          const error = await test.failure(ADD_COLUMN, { ...SMALL_CHUNKS, hooks });
          expect(done.happened).to.equal(true);
          await expectRefused(error, deed);
        });
      }
    }

    for (const strategy of atomicStrategiesOf(flavor)) {
      const places: Place[] = ['before the lock is asked for', 'while the lock is held'];
      if (strategy === 'sentry') places.push('behind the RENAME');
      for (const place of places) {
        for (const deed of every(3, STATEMENTS.filter(isPossible))) {
          it(`${deed.what}, waiting ${place}, swapped by ${strategy}: done as it was told`, async () => {
            for (const sql of deed.before ?? []) await test.query(sql);
            const ended = queueAt(test, test.knex, place, deed.sql[0]!);
            const error = await test.migrate(ADD_COLUMN, { ...SMALL_CHUNKS, cutOver: { strategy } }).then(
              () => null,
              (reason: unknown) => reason as LargeHadronError,
            );
            const queued = await ended();
            const comesFirst =
              place === 'before the lock is asked for' ||
              (place === 'while the lock is held' && strategy === 'sentry' && deed.exclusive === true);
            if (comesFirst) expect(error, 'nothing may be swapped over its head').not.to.equal(null);
            if (error !== null && error.outcome !== 'swapped') {
              expect(queued.ended).to.equal(0);
              await expectRefused(error, deed);
              return;
            }
            // The old table has taken the triggers along.
            if (deed.what !== 'DROP TRIGGER') expect(queued.ended).to.equal(0);
            await deed.holds(test, true);
          });
        }
      }
    }
  });
}

/** The servers tell when a definition was made to the second. */
async function anotherSecond(test: TestTable): Promise<void> {
  const second = async (): Promise<string> => {
    const [row] = await test.query<{ now: string }>("SELECT DATE_FORMAT(NOW(), '%s') AS now");
    return row!.now;
  };
  const first = await second();
  await until('the next second', async () => ((await second()) === first ? undefined : true));
}
