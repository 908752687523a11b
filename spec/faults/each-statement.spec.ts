import { expect } from 'chai';
import type { Knex } from 'knex';

import { largeHadronCleanUp, planLargeHadronMigration, type LargeHadronError } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { leaveDeadRun } from '../support/dead-run';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectTruthfulLeftovers, expectWritable, withoutCounter } from '../support/leak-guard-leftovers';
import { startServer, type RunningServer } from '../support/servers';
import { without, type Options, type TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { FAULTS, type Fault } from './fail-once';
import { sweep, type Sweep, type Trial } from './sweep';
import { COPY } from './writes';

function migrate({ test, writes }: Trial, knex: Knex, options: Options = {}): Promise<unknown> {
  const write = (): Promise<void> => writes.write();
  return test.migrate(ADD_COLUMN, {
    ...{ knex, chunk: { rows: 10 }, verify: { rows: 10 }, ...options },
    hooks: { beforeRowCopy: write, afterRowCopy: write, beforeCutOver: write, ...options.hooks },
  });
}

/** Changed or as it was, and every row as the application wrote it. */
async function expectWhole(test: TestTable, swapped: boolean): Promise<void> {
  const definition = withoutCounter(await test.definition()).replace('`emails`', `\`${COPY}\``);
  if (swapped) expect(definition).to.contain('`extra`');
  else expect(definition).to.equal(withoutCounter(await test.definition(COPY)));
  expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(COPY));
  expect(await kept(test)).to.have.length(swapped ? 1 : 0);
  await expectWritable(test);
}

/** The old tables, without a sentry that bears the name of one. */
async function kept(test: TestTable): Promise<string[]> {
  const definitions = await Promise.all((await oldTables(test)).map((name) => test.definition(name)));
  return definitions.filter((definition) => !definition.includes('sentry'));
}

/** What is left is named, with what removes it. */
async function check({ test }: Trial, error: LargeHadronError | null): Promise<'as before' | 'changed'> {
  const swapped = error === null || error.outcome === 'swapped';
  await expectWhole(test, swapped);
  if (error === null) await expectNoLeaks(test);
  else await expectTruthfulLeftovers(test, error);
  await expectWritable(test);
  return swapped ? 'changed' : 'as before';
}

let deaths = 0;

/** The table serves on, and the next run begins anew, or a clean-up removes what was left: by turns. */
async function checkDead({ test }: Trial, error: LargeHadronError | null): Promise<'changed'> {
  const swapped = (await test.definition()).includes('`extra`');
  if (error === null || error.outcome === 'swapped') expect(swapped).to.equal(true);
  else if (error.outcome !== 'unknown') expect(swapped, error.outcome).to.equal(false);
  await expectWhole(test, swapped);
  const knex = test.makeKnex();
  if (++deaths % 2 === 0) {
    await largeHadronCleanUp('emails', { knex });
    await expectWhole(test, swapped);
  } else {
    await test.migrate(swapped ? 'ADD COLUMN another INT' : ADD_COLUMN, { knex });
    expect(without(await test.rows(), 'extra', 'another')).to.deep.equal(await test.rows(COPY));
    expect(await kept(test)).to.have.length(swapped ? 2 : 1);
  }
  await expectNoLeaks(test);
  await expectWritable(test);
  return 'changed';
}

/** The error says what the server said, or that the connection was lost. */
function expectTold(error: LargeHadronError | null, fault: Fault): void {
  if (error === null) return;
  const told = `${error.code}, ${error.outcome}: ${error.message}`;
  expect(fault, told).not.to.equal('delay');
  if (fault === 'error') expect(error.message, told).to.match(/failed on purpose/);
  else expect(error.code, told).to.match(/^LHM_(CONNECTION_LOST|OWNERSHIP_LOST)$/);
  expect(error.outcome, told).to.be.oneOf(['untouched', 'rolled-back', 'swapped']);
}

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  describe(`every statement that fails once on ${on}`, function () {
    this.timeout(600_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    async function expectHonest(given: Omit<Sweep, 'server'>, atLeast: number): Promise<void> {
      const { places, problems } = await sweep({ server, ...given });
      expect(problems, problems.join('\n')).to.deep.equal([]);
      expect(places).to.be.at.least(atLeast);
    }

    for (const fault of every(2, FAULTS)) {
      const dead = fault.startsWith('dead');
      const given: Pick<Sweep, 'fault' | 'check'> = {
        fault,
        check: (trial, error) => {
          if (dead) return checkDead(trial, error);
          expectTold(error, fault);
          return check(trial, error);
        },
      };
      const options: Options = dead ? { reconnectMs: 0 } : {};

      describe(`(${fault})`, () => {
        it('of a migration: it is swapped or as it was, and said so', async () => {
          const attempt: Sweep['attempt'] = (trial, knex) => migrate(trial, knex, options);
          await expectHonest({ ...given, name: 'migration', attempt }, 60);
        });

        if (flavor === 'mysql') {
          itOnce('of a cut-over by sentry: it is swapped or as it was, and said so', async () => {
            const attempt: Sweep['attempt'] = (trial, knex, arm) => {
              const hooks = { beforeCutOver: () => trial.writes.write().then(arm) };
              return migrate(trial, knex, { ...options, cutOver: { strategy: 'sentry' }, hooks });
            };
            await expectHonest({ ...given, name: 'sentry', armed: 'later', attempt }, 25);
          });
        }

        if (fault === 'delay' || dead) return;

        itOnce('of a migration that is taken back: nothing is left all the same', async () => {
          const attempt: Sweep['attempt'] = (trial, knex, arm) => {
            const beforeCutOver = (): never => {
              arm();
              throw new Error('not now');
            };
            return migrate(trial, knex, { hooks: { beforeCutOver } });
          };
          const checkAll: Sweep['check'] = (trial, error) => {
            expect(error).to.include({ code: 'LHM_HOOK_FAILED', outcome: 'rolled-back' });
            expect(error?.leftovers).to.deep.equal([]);
            return check(trial, error);
          };
          await expectHonest({ fault, name: 'taken back', armed: 'later', attempt, check: checkAll }, 10);
        });

        itOnce('of the plan: nothing is changed', async () => {
          const attempt: Sweep['attempt'] = (_trial, knex) =>
            planLargeHadronMigration('emails', { knex }, ADD_COLUMN);
          const checkPlan: Sweep['check'] = async ({ test }, error) => {
            if (error !== null) expect(error).to.include({ phase: 'plan', outcome: 'untouched' });
            expectTold(error, fault);
            await expectWhole(test, false);
            await expectNoLeaks(test);
            return 'as before';
          };
          await expectHonest({ fault, name: 'plan', attempt, check: checkPlan }, 10);
        });

        itOnce('of a clean-up: what is left is named, and a second one removes it', async () => {
          const checkCleanUp: Sweep['check'] = async ({ test }, error) => {
            expectTold(error, fault);
            if (error !== null) {
              expect(error).to.include({ phase: 'clean-up', outcome: 'untouched' });
              const { removed } = await largeHadronCleanUp('emails', { knex: test.makeKnex() });
              expect(removed.map(({ name }) => name).sort()).to.deep.equal(
                error.leftovers.map(({ name }) => name).sort(),
              );
            }
            expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(COPY));
            await expectNoLeaks(test);
            await expectWritable(test);
            return 'changed';
          };
          const attempt: Sweep['attempt'] = async ({ test }, knex, arm) => {
            await leaveDeadRun(test);
            arm();
            await largeHadronCleanUp('emails', { knex });
          };
          await expectHonest(
            { fault, name: 'clean-up', armed: 'later', attempt, check: checkCleanUp, except: /^1:/ },
            15,
          );
        });
      });
    }
  });
}
