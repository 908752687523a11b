import { expect } from 'chai';
import type { Knex } from 'knex';

import { largeHadronCleanUp, planLargeHadronMigration, type LargeHadronError } from '../../lib';
import { leaveDeadRun } from '../support/dead-run';
import { FAULTS, type Fault } from '../support/fail-once';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectTruthfulLeftovers, expectWritable, withoutCounter } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { sweep, type Sweep } from '../support/sweep';
import { without, type Options, type TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

/** What the application does to the table, and the test to a copy that is not migrated. */
const WRITES = [
  'UPDATE # SET size = size + 1 WHERE id IN (2, 7, 11)',
  "REPLACE INTO # (id, address) VALUES (12, 'replaced')",
  'DELETE FROM # WHERE id = 5',
  "INSERT INTO # (id, address, size) VALUES (5, 'again', 1)",
  'UPDATE # SET id = 41 - id WHERE id IN (20, 21)',
];

async function write(test: TestTable): Promise<void> {
  for (const sql of WRITES) {
    for (const table of [test.table, 'copy']) await test.query(sql.replace('#', table));
  }
}

async function prepare(test: TestTable): Promise<void> {
  await test.query("INSERT INTO emails (id, address) VALUES (20, 'wanders')");
  await test.query('CREATE TABLE copy LIKE emails');
  await test.query('INSERT INTO copy SELECT * FROM emails');
}

function migrate(test: TestTable, knex: Knex, options: Options = {}): Promise<unknown> {
  const writes = (): Promise<void> => write(test);
  return test.migrate(ADD_COLUMN, {
    ...{ knex, chunk: { rows: 10 }, verify: { rows: 10 }, ...options },
    hooks: { beforeRowCopy: writes, afterRowCopy: writes, beforeCutOver: writes, ...options.hooks },
  });
}

/** Changed or as it was, and every row as the application wrote it. */
async function expectWhole(test: TestTable, swapped: boolean): Promise<void> {
  const definition = withoutCounter(await test.definition()).replace('`emails`', '`copy`');
  if (swapped) expect(definition).to.contain('`extra`');
  else expect(definition).to.equal(withoutCounter(await test.definition('copy')));
  expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows('copy'));
  expect(await oldTables(test)).to.have.length(swapped ? 1 : 0);
  await expectWritable(test);
}

/** What is left is named, with what removes it. */
async function check(test: TestTable, error: LargeHadronError | null): Promise<'as before' | 'changed'> {
  const swapped = error === null || error.outcome === 'swapped';
  await expectWhole(test, swapped);
  if (error === null) await expectNoLeaks(test);
  else await expectTruthfulLeftovers(test, error);
  await expectWritable(test);
  return swapped ? 'changed' : 'as before';
}

/** The error says what the server said, or that the connection was lost. */
function expectTold(error: LargeHadronError | null, fault: Fault): void {
  if (error === null) return;
  const told = `${error.code}, ${error.outcome}: ${error.message}`;
  if (fault === 'error') expect(error.message, told).to.match(/failed on purpose/);
  else expect(error.code, told).to.match(/^LHM_(CONNECTION_LOST|OWNERSHIP_LOST)$/);
  expect(error.outcome, told).to.be.oneOf(['untouched', 'rolled-back', 'swapped']);
}

for (const flavor of availableFlavors()) {
  describe(`every statement that fails once on ${flavor}`, function () {
    this.timeout(300_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    async function expectHonest(given: Omit<Sweep, 'server'>, atLeast: number): Promise<void> {
      const { places, problems } = await sweep({ server, ...given });
      expect(problems, problems.join('\n')).to.deep.equal([]);
      expect(places).to.be.at.least(atLeast);
    }

    for (const fault of FAULTS) {
      const of = (told: boolean): Pick<Sweep, 'fault' | 'prepare' | 'check'> => ({
        ...{ fault, prepare },
        check: (test, error) => {
          if (told) expectTold(error, fault);
          return check(test, error);
        },
      });

      describe(`(${fault})`, () => {
        it('of a migration: it is swapped or as it was, and said so', async () => {
          await expectHonest({ ...of(true), attempt: (test, knex) => migrate(test, knex) }, 80);
        });

        if (flavor === 'mysql') {
          it('of a cut-over by sentry: it is swapped or as it was, and said so', async () => {
            const attempt: Sweep['attempt'] = (test, knex, arm) => {
              const hooks = { beforeCutOver: () => write(test).then(arm) };
              return migrate(test, knex, { cutOver: { strategy: 'sentry' }, hooks });
            };
            await expectHonest({ ...of(true), armed: 'later', attempt }, 35);
          });
        }

        it('of a migration that is taken back: nothing is left all the same', async () => {
          const attempt: Sweep['attempt'] = (test, knex, arm) => {
            const beforeCutOver = (): never => {
              arm();
              throw new Error('not now');
            };
            return migrate(test, knex, { hooks: { beforeCutOver } });
          };
          const { check: leaves, ...rest } = of(false);
          const checkAll: Sweep['check'] = (test, error) => {
            expect(error).to.include({ code: 'LHM_HOOK_FAILED', outcome: 'rolled-back' });
            expect(error?.leftovers).to.deep.equal([]);
            return leaves(test, error);
          };
          await expectHonest({ ...rest, armed: 'later', attempt, check: checkAll }, 10);
        });

        it('of the plan: nothing is changed', async () => {
          const attempt: Sweep['attempt'] = (_test, knex) =>
            planLargeHadronMigration('emails', { knex }, ADD_COLUMN);
          const checkPlan: Sweep['check'] = async (test, error) => {
            if (error !== null) expect(error).to.include({ phase: 'plan', outcome: 'untouched' });
            expectTold(error, fault);
            await expectWhole(test, false);
            await expectNoLeaks(test);
            return 'as before';
          };
          await expectHonest({ ...of(true), attempt, check: checkPlan }, 10);
        });

        it('of a clean-up: what is left is named, and a second one removes it', async () => {
          const checkCleanUp: Sweep['check'] = async (test, error) => {
            expectTold(error, fault);
            if (error !== null) {
              expect(error).to.include({ phase: 'clean-up', outcome: 'untouched' });
              const { removed } = await largeHadronCleanUp('emails', { knex: test.makeKnex() });
              expect(removed.map(({ name }) => name).sort()).to.deep.equal(
                error.leftovers.map(({ name }) => name).sort(),
              );
            }
            expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows('copy'));
            await expectNoLeaks(test);
            await expectWritable(test);
            return 'changed';
          };
          const attempt: Sweep['attempt'] = async (test, knex, arm) => {
            await leaveDeadRun(test);
            arm();
            await largeHadronCleanUp('emails', { knex });
          };
          await expectHonest(
            { ...of(true), armed: 'later', attempt, check: checkCleanUp, except: /^1:/ },
            15,
          );
        });
      });
    }
  });
}
