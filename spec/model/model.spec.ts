import { expect } from 'chai';
import fc from 'fast-check';
import { randomInt } from 'node:crypto';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { Run, type Outcome } from './run';
import { SABOTAGES } from './sabotages';
import { shapes } from './shape';
import { steps } from './steps';

/** Runs on each server. */
const RUNS = Number(process.env['LHM_MODEL_RUNS'] ?? 12);

/** The seed that a failure has printed repeats it; its path leads straight to what it was shrunk to. */
const SEED = process.env['LHM_MODEL_SEED'];
const PATH = process.env['LHM_MODEL_PATH'];

/** Runs within which each of these must be noticed. Some take 30 on an average, so that 100 would go by now and then. */
const SABOTAGED_RUNS = 600;

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`the model on ${on}`, function () {
    this.timeout(60_000 + RUNS * 20_000);
    const database = `lhm_model_${process.pid}`;
    const seed = SEED === undefined ? randomInt(2 ** 31) : Number(SEED);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    it(`${RUNS} random tables, each migrated among random statements, end as their twins (seed ${seed})`, async () => {
      const outcomes: Outcome[] = [];
      await fc.assert(
        fc.asyncProperty(shapes(flavor), steps, async (shape, taken) => {
          outcomes.push(await Run.of({ server, database }, shape, taken));
        }),
        {
          ...{ seed, numRuns: RUNS, unbiased: true },
          // Shrinking is given some time, and what it has come to by then is told.
          ...{ interruptAfterTimeLimit: 60_000 + RUNS * 3000 },
          ...(PATH === undefined ? {} : { path: PATH, endOnFailure: true }),
        },
      );
      const sum = (of: (outcome: Outcome) => number): number =>
        outcomes.reduce((total, outcome) => total + of(outcome), 0);
      const swapped = sum(({ end }) => (end === 'swapped' ? 1 : 0));
      const applied = sum((outcome) => outcome.applied);
      console.log(
        `      ${swapped} swapped, ${outcomes.length - swapped} refused for duplicates;` +
          ` ${sum(({ statements }) => statements)} statements, ${applied} changes applied, ${sum(({ lost }) => lost)} connections lost`,
      );
      expect(applied).to.be.above(0);
    });

    if (PATH === undefined) {
      for (const [name, sabotage] of every(9, Object.entries(SABOTAGES[mode]))) {
        it(`notices when the algorithm is broken (${name})`, async () => {
          const found = await fc.check(
            fc.asyncProperty(shapes(flavor), steps, async (shape, taken) => {
              await Run.of({ server, database, sabotage }, { ...shape, verify: false }, taken);
            }),
            { seed, numRuns: SABOTAGED_RUNS, unbiased: true, endOnFailure: true },
          );
          expect(found.failed, `unnoticed in ${found.numRuns} runs, seed ${seed}`).to.equal(true);
          console.log(`      noticed in run ${found.numRuns}: ${String(found.errorInstance).slice(0, 150)}`);
        });
      }
    }
  });
}
