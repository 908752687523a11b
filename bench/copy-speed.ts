/**
 * Copy speed, side by side: rows per second by the server's own chunked INSERT … SELECT (the floor: what any copying
 * costs at least), by ALTER TABLE … ALGORITHM=COPY, and by a migration; idle and with an application writing.
 *
 *   npm run bench:copy -- --server mysql --rows 1000000 --runs 3
 */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import createKnex from 'knex';
import { largeHadronMigrate } from '../lib';
import { availableFlavors, type Flavor } from '../spec/support/servers';
import { argument, DATABASE, fillTable, median, startBench, type Bench } from './support';

const ALTER = 'ADD COLUMN extra INT NULL, ADD INDEX by_extra (extra)';
const ROWS = Number(argument('rows', '1000000'));
const RUNS = Number(argument('runs', '3'));
const CHUNK = 20_000;

interface Sample {
  readonly floor: number;
  readonly alter: number;
  readonly copy: number;
  readonly total: number;
  readonly cpuShare: number;
  readonly heapGrowthMb: number;
}

async function floor({ sql }: Bench): Promise<number> {
  await sql.query('DROP TABLE IF EXISTS t_floor');
  await sql.query('CREATE TABLE t_floor LIKE t');
  await sql.query(`ALTER TABLE t_floor ${ALTER}`);
  await sql.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  const started = performance.now();
  for (let from = 0; from < ROWS; from += CHUNK) {
    await sql.query(
      `INSERT INTO t_floor (id, k, c, pad) SELECT id, k, c, pad FROM t WHERE id > ${from} AND id <= ${from + CHUNK}`,
    );
  }
  const ms = performance.now() - started;
  await sql.query('DROP TABLE t_floor');
  return ms;
}

async function nativeCopy({ sql }: Bench): Promise<number> {
  const started = performance.now();
  await sql.query(`ALTER TABLE t ${ALTER}, ALGORITHM = COPY`);
  const ms = performance.now() - started;
  await sql.query('ALTER TABLE t DROP INDEX by_extra, DROP COLUMN extra');
  return ms;
}

async function ours({
  server,
  sql,
}: Bench): Promise<Pick<Sample, 'copy' | 'total' | 'cpuShare' | 'heapGrowthMb'>> {
  const knex = createKnex({ client: 'mysql2', connection: { ...server.connection, database: DATABASE } });
  try {
    global.gc?.();
    const heap = process.memoryUsage().heapUsed;
    let mostHeap = heap;
    const cpu = process.cpuUsage();
    const started = performance.now();
    const result = await largeHadronMigrate(
      't',
      {
        knex,
        progress: () => (mostHeap = Math.max(mostHeap, process.memoryUsage().heapUsed)),
        cleanUp: { dropOldTable: true },
      },
      ALTER,
    );
    const total = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    await sql.query('ALTER TABLE t DROP INDEX by_extra, DROP COLUMN extra');
    return {
      copy: result.durations.copy ?? 0,
      total,
      cpuShare: (user + system) / 1000 / total,
      heapGrowthMb: (mostHeap - heap) / 1e6,
    };
  } finally {
    await knex.destroy();
  }
}

/** An application on the table, in a process of its own so that its work is not counted as ours. */
async function startApplication({ server }: Bench): Promise<ChildProcess> {
  const child = fork(join(__dirname, 'application.ts'), [JSON.stringify(server.connection), String(ROWS)], {
    execArgv: ['--import=tsx'],
  });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error('the application ended')));
  });
  return child;
}

async function measure(bench: Bench, run: number): Promise<Sample> {
  const steps = [
    async () => ({ floor: await floor(bench) }),
    async () => ({ alter: await nativeCopy(bench) }),
    () => ours(bench),
  ];
  // Another order each time, so that no one always gets the warmer server.
  const order = [...steps.slice(run % 3), ...steps.slice(0, run % 3)];
  const parts: Partial<Sample>[] = [];
  for (const step of order) parts.push(await step());
  return Object.assign({}, ...parts) as Sample;
}

function report(title: string, samples: readonly Sample[]): void {
  const of = (pick: (sample: Sample) => number): number => median(samples.map(pick));
  const seconds = (ms: number): string => (ms / 1000).toFixed(1).padStart(7);
  console.log(`${title}: medians of ${samples.length} runs, ${ROWS.toLocaleString('en-US')} rows`);
  console.log(`  floor (chunked INSERT … SELECT)   ${seconds(of((s) => s.floor))} s`);
  console.log(`  ALTER … ALGORITHM=COPY            ${seconds(of((s) => s.alter))} s`);
  console.log(
    `  migration, copy phase             ${seconds(of((s) => s.copy))} s   speed ${of((s) => s.floor / s.copy).toFixed(2)} of the floor`,
  );
  console.log(
    `  migration, all with verification  ${seconds(of((s) => s.total))} s   time ${of((s) => s.total / s.alter).toFixed(2)} of ALGORITHM=COPY`,
  );
  console.log(
    `  CPU of the Node process ${(of((s) => s.cpuShare) * 100).toFixed(1)} % of the wall time, heap growth at most ${of((s) => s.heapGrowthMb).toFixed(1)} MB\n`,
  );
}

async function main(): Promise<void> {
  const wanted = argument('server', '');
  for (const flavor of availableFlavors().filter((name: Flavor) => wanted === '' || name === wanted)) {
    const bench = await startBench(flavor);
    try {
      await fillTable(bench.sql, 't', ROWS);
      for (const busy of [false, true]) {
        const samples: Sample[] = [];
        for (let run = 0; run < RUNS; run++) {
          const application = busy ? await startApplication(bench) : null;
          try {
            samples.push(await measure(bench, run));
          } finally {
            application?.kill();
          }
        }
        report(
          `${flavor} ${bench.server.version}, ${busy ? 'with an application writing' : 'idle'}`,
          samples,
        );
      }
    } finally {
      await bench.done();
    }
  }
}

void main();
