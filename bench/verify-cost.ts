/**
 * What the verification costs: the same migration with it and without, side by side, for a table whose columns are
 * compared in place and for one with a converted column, which is compared by a scratch table.
 *
 *   npm run bench:verify -- --server mysql --rows 500000 --runs 3
 */
import createKnex from 'knex';
import { largeHadronMigrate } from '../lib';
import { availableFlavors, type Flavor } from '../spec/support/servers';
import { argument, DATABASE, fillTable, median, startBench, type Bench } from './support';

const ROWS = Number(argument('rows', '500000'));
const RUNS = Number(argument('runs', '3'));

const ALTERS = {
  'in place': ['ADD COLUMN extra INT NULL', 'DROP COLUMN extra'],
  'by the scratch table': ['MODIFY k BIGINT NOT NULL', 'MODIFY k INT NOT NULL'],
} as const;

interface Sample {
  readonly with: number;
  readonly without: number;
  /** The phase alone. */
  readonly phase: number;
}

async function migrate({ server, sql }: Bench, [alter, back]: readonly [string, string], verify: boolean) {
  const knex = createKnex({ client: 'mysql2', connection: { ...server.connection, database: DATABASE } });
  try {
    const { durations } = await largeHadronMigrate(
      't',
      { knex, verify, progress: 'none', cleanUp: { dropOldTable: true } },
      alter,
    );
    await sql.query(`ALTER TABLE t ${back}`);
    return durations;
  } finally {
    await knex.destroy();
  }
}

async function measure(bench: Bench, alter: readonly [string, string], run: number): Promise<Sample> {
  // The other one first each time, so that neither always gets the warmer server.
  const order = run % 2 === 0 ? [true, false] : [false, true];
  const sample = { with: 0, without: 0, phase: 0 };
  for (const verify of order) {
    const durations = await migrate(bench, alter, verify);
    sample[verify ? 'with' : 'without'] = durations.total;
    if (verify) sample.phase = durations.verify ?? 0;
  }
  return sample;
}

async function main(): Promise<void> {
  const wanted = argument('server', '');
  const flavors: Flavor[] = availableFlavors().filter((flavor) => wanted === '' || flavor === wanted);
  for (const flavor of flavors) {
    const bench = await startBench(flavor);
    try {
      await fillTable(bench.sql, 't', ROWS);
      console.log(`${flavor}: medians of ${RUNS} runs, ${ROWS.toLocaleString('en-US')} rows`);
      for (const [how, alter] of Object.entries(ALTERS)) {
        const samples: Sample[] = [];
        for (let run = 0; run < RUNS; run++) samples.push(await measure(bench, alter, run));
        const of = (pick: (sample: Sample) => number): string => median(samples.map(pick)).toFixed(2);
        console.log(
          `  compared ${how}: with verification ${of((s) => s.with / s.without)} times the time without` +
            ` (${of((s) => s.with / 1000)} s; the phase itself ${of((s) => s.phase / s.with)} of it)`,
        );
      }
    } finally {
      await bench.done();
    }
  }
}

void main();
