/**
 * What a call costs in a test suite's fixture: a migration of a small table beside the same change by
 * `knex.schema.alterTable`, on the same server, in turns; where the time goes, phase by phase; and what loading the
 * built package takes in a new process.
 *
 *   npm run bench:fixture -- --server mysql --runs 30
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import createKnex, { type Knex } from 'knex';
import { largeHadronMigrate, type MigrationResult } from '../lib';
import { availableFlavors, type Flavor } from '../spec/support/servers';
import { argument, DATABASE, median, startBench } from './support';

const RUNS = Number(argument('runs', '30'));

function change(t: Knex.AlterTableBuilder): void {
  t.string('hashed_address', 64);
  t.index(['hashed_address']);
}

type Durations = MigrationResult['durations'];

async function measure(knex: Knex, run: number, phases: Durations[] | null): Promise<number> {
  const ours = phases !== null;
  const table = `t_${run}_${ours ? 'ours' : 'knex'}`;
  await knex.schema.createTable(table, (t) => {
    t.increments();
    t.string('address', 100).notNullable().unique();
  });
  await knex(table).insert(Array.from({ length: 100 }, (_, i) => ({ address: `a${i}@example.org` })));
  const started = performance.now();
  if (ours) {
    const options = { knex, preset: 'fixture', cleanUp: { dropOldTable: true } } as const;
    phases.push((await largeHadronMigrate(table, options, change)).durations);
  } else {
    await knex.schema.alterTable(table, change);
  }
  const ms = performance.now() - started;
  await knex.schema.dropTable(table);
  return ms;
}

/** Milliseconds of `require` in a new process that has Knex and the driver already. */
function loadMs(): number {
  const root = join(__dirname, '..');
  const script = `require('knex'); require('mysql2'); const t = performance.now(); require('./dist'); console.log(performance.now() - t)`;
  return Number(execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' }));
}

function profile(phases: readonly Durations[]): string {
  const names = Object.keys(phases[0]!) as (keyof Durations)[];
  return names.map((name) => `${name} ${median(phases.map((one) => one[name] ?? 0)).toFixed(0)}`).join(', ');
}

async function main(): Promise<void> {
  const wanted = argument('server', '');
  const loads = Array.from({ length: 9 }, loadMs);
  console.log(`loading the package: median ${median(loads).toFixed(0)} ms (after knex and mysql2)\n`);
  for (const flavor of availableFlavors().filter((name: Flavor) => wanted === '' || name === wanted)) {
    const bench = await startBench(flavor);
    const connection = { ...bench.server.connection, database: DATABASE };
    const knex = createKnex({ client: 'mysql2', connection, pool: { min: 0, max: 1 } });
    try {
      const ours: number[] = [];
      const knexs: number[] = [];
      const phases: Durations[] = [];
      for (let run = 0; run < RUNS; run++) {
        knexs.push(await measure(knex, run, null));
        ours.push(await measure(knex, run, phases));
      }
      const line = (values: readonly number[]): string =>
        `first ${values[0]!.toFixed(0)} ms, median ${median(values).toFixed(0)} ms, maximum ${Math.max(...values).toFixed(0)} ms`;
      console.log(`${flavor} ${bench.server.version}, ${RUNS} runs, 100 rows`);
      console.log(`  knex.schema.alterTable   ${line(knexs)}`);
      console.log(`  largeHadronMigrate       ${line(ours)}`);
      console.log(`  more                     ${(median(ours) - median(knexs)).toFixed(0)} ms`);
      console.log(`  phases (median ms)       ${profile(phases)}\n`);
    } finally {
      await knex.destroy();
      await bench.done();
    }
  }
}

void main();
