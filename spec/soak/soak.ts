/**
 * Migrates table after table under random workloads and random faults, for as long as it is told:
 * `npm run soak -- --minutes 60`. See docs/testing.md.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { availableFlavors, startServer, type Flavor } from '../support/servers';
import { createMigrating } from './account';
import { runCycle } from './cycle';
import { Migrator } from './migrator';
import type { CyclePlan } from './plan';
import { Summary } from './summary';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    /** One cycle of a seed, as it was reported. */
    cycle: { type: 'string' },
    server: { type: 'string' },
  },
});

const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const only = values.cycle === undefined ? null : Number(values.cycle);
const until = Date.now() + Number(values.minutes) * 60_000;
if (![seed, until, only ?? 0].every(Number.isFinite))
  throw new Error('--minutes, --seed and --cycle are numbers');

const summary = new Summary(seed);

/** What was committed is there after a SIGKILL of the server. */
const DURABLE = ['--innodb-flush-log-at-trx-commit=1', '--sync-binlog=1'];

async function soak(flavor: Flavor): Promise<void> {
  const server = await startServer(flavor, { args: DURABLE, log: console.error });
  await createMigrating(server);
  let migrator = Migrator.start();
  const lane = {
    server,
    migrator: () => {
      if (!migrator.alive) migrator = Migrator.start();
      return migrator;
    },
  };
  try {
    for (let number = only ?? 1; number === only || (only === null && Date.now() < until); number++) {
      const began = Date.now();
      const result = await runCycle(lane, seed + number, `lhm_soak_${process.pid}_${number}`);
      const wrong = summary.add(flavor, number, result);
      const { plan, runs, struck, ends, verdict } = result;
      console.log(
        `${flavor} ${number}: ${wrong ? 'WRONG' : 'ok'}, ${runs} runs, ${verdict?.transactions ?? 0} transactions,` +
          ` ${((Date.now() - began) / 1000).toFixed(1)} s [${struck.join(', ')}]${about(plan)} ${ends.join('; ')}`,
      );
      // Not only at the end: faults make hardly any cycle come out the same twice.
      for (const problem of result.problems) console.log(problem);
    }
  } finally {
    await migrator.kill();
    await server.stop();
  }
}

function about({ relations }: CyclePlan): string {
  if (relations === null) return '';
  return ` (${[relations.layout ?? [], relations.triggers ? 'triggers' : []].flat().join(', ')})`;
}

function chosen(): readonly Flavor[] {
  const flavors = availableFlavors().filter(
    (flavor) => values.server === undefined || flavor === values.server,
  );
  if (flavors.length === 0) throw new Error(`--server is one of ${availableFlavors().join(', ')}`);
  return flavors;
}

async function main(): Promise<void> {
  console.log(`seed ${seed}`);
  const lanes = await Promise.allSettled(chosen().map(soak));
  console.log(summary.toString());
  const broken = lanes.flatMap((lane) => (lane.status === 'rejected' ? [lane.reason as unknown] : []));
  for (const error of broken) console.error(error);
  process.exitCode = summary.failed || broken.length > 0 ? 1 : 0;
}

void main();
