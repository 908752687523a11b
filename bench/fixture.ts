/**
 * What a call costs in a test suite's fixture: a migration of a small table beside the same change by
 * `knex.schema.alterTable`, on the same server, in turns.
 *
 *   npm run bench:fixture -- --server mysql --runs 30
 */
import createKnex, { type Knex } from 'knex';
import { largeHadronMigrate } from '../lib';
import { availableFlavors, type Flavor } from '../spec/support/servers';
import { argument, DATABASE, median, startBench } from './support';

const RUNS = Number(argument('runs', '30'));

function change(t: Knex.AlterTableBuilder): void {
  t.string('hashed_address', 64);
  t.index(['hashed_address']);
}

async function measure(knex: Knex, run: number, ours: boolean): Promise<number> {
  const table = `t_${run}_${ours ? 'ours' : 'knex'}`;
  await knex.schema.createTable(table, (t) => {
    t.increments();
    t.string('address', 100).notNullable().unique();
  });
  await knex(table).insert(Array.from({ length: 100 }, (_, i) => ({ address: `a${i}@example.org` })));
  const started = performance.now();
  if (ours) {
    await largeHadronMigrate(table, { knex, preset: 'fixture', cleanUp: { dropOldTable: true } }, change);
  } else {
    await knex.schema.alterTable(table, change);
  }
  const ms = performance.now() - started;
  await knex.schema.dropTable(table);
  return ms;
}

async function main(): Promise<void> {
  const wanted = argument('server', '');
  for (const flavor of availableFlavors().filter((name: Flavor) => wanted === '' || name === wanted)) {
    const bench = await startBench(flavor);
    const connection = { ...bench.server.connection, database: DATABASE };
    const knex = createKnex({ client: 'mysql2', connection, pool: { min: 0, max: 1 } });
    try {
      const ours: number[] = [];
      const knexs: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        knexs.push(await measure(knex, run, false));
        ours.push(await measure(knex, run, true));
      }
      const line = (values: readonly number[]): string =>
        `first ${values[0]!.toFixed(0)} ms, median ${median(values).toFixed(0)} ms, maximum ${Math.max(...values).toFixed(0)} ms`;
      console.log(`${flavor} ${bench.server.version}, ${RUNS} runs, 100 rows`);
      console.log(`  knex.schema.alterTable   ${line(knexs)}`);
      console.log(`  largeHadronMigrate       ${line(ours)}`);
      console.log(`  more                     ${(median(ours) - median(knexs)).toFixed(0)} ms\n`);
    } finally {
      await knex.destroy();
      await bench.done();
    }
  }
}

void main();
