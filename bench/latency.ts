/**
 * What the application notices of a migration with default settings: the p95 of its statements without one, during ours and
 * during pt-online-schema-change (Debian's percona-toolkit) with its defaults, in turns on one server.
 *
 *   npm run bench:latency -- --server mysql --rows 300000 --runs 3 --writers 8
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import createKnex from 'knex';
import { largeHadronMigrate } from '../lib';
import { availableFlavors, type Flavor } from '../spec/support/servers';
import type { Latency } from './paced';
import { argument, DATABASE, fillTable, median, startBench, type Bench } from './support';

const ROWS = Number(argument('rows', '300000'));
const RUNS = Number(argument('runs', '3'));
const WRITERS = Number(argument('writers', '8'));
/** How long is measured without a migration. */
const SECONDS = Number(argument('seconds', '15'));

interface Sample extends Latency {
  readonly seconds: number;
}

const WAYS = {
  none: () => new Promise<void>((resolve) => setTimeout(resolve, SECONDS * 1000)),
  triggers: (bench: Bench) => ours(bench, 'triggers'),
  binlog: (bench: Bench) => ours(bench, 'binlog'),
  'pt-osc': ptOsc,
} as const;
type Way = keyof typeof WAYS;
const NAMES = Object.keys(WAYS) as Way[];

async function ours({ server }: Bench, mode: 'triggers' | 'binlog'): Promise<void> {
  const knex = createKnex({ client: 'mysql2', connection: { ...server.connection, database: DATABASE } });
  try {
    await largeHadronMigrate(
      't',
      { knex, mode, progress: 'none', preset: 'production' },
      'ADD COLUMN extra INT NULL',
    );
  } finally {
    await knex.destroy();
  }
}

async function ptOsc({ server }: Bench): Promise<void> {
  const {
    host = '127.0.0.1',
    port = 3306,
    user = 'root',
    password = '',
  } = server.connection as {
    host?: string;
    port?: number;
    user?: string;
    password?: string;
  };
  const dsn = `D=${DATABASE},t=t,h=${host},P=${port},u=${user}${password === '' ? '' : `,p=${password}`}`;
  const tool = spawn(
    'pt-online-schema-change',
    [
      '--alter',
      'ADD COLUMN extra INT NULL',
      '--execute',
      '--no-version-check',
      '--recursion-method=none',
      dsn,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  // Debian's asks for replicas in words that MySQL 9 no longer knows; there are none.
  let said = '';
  for (const stream of [tool.stdout, tool.stderr])
    stream.on('data', (part: Buffer) => (said += part.toString()));
  const [code] = (await once(tool, 'close')) as [number];
  if (code !== 0) throw new Error(`pt-online-schema-change ended with ${code}: ${said}`);
}

async function measure(bench: Bench, way: Way): Promise<Sample> {
  const [tables] = (await bench.sql.query("SHOW TABLES LIKE '%t%'")) as unknown as [Record<string, string>[]];
  for (const table of tables.map((row) => Object.values(row)[0]!))
    await bench.sql.query(`DROP TABLE \`${table}\``);
  await fillTable(bench.sql, 't', ROWS);
  const application: ChildProcess = fork(
    join(__dirname, 'paced.ts'),
    [JSON.stringify(bench.server.connection), String(ROWS), String(WRITERS)],
    { execArgv: ['--import=tsx'] },
  );
  try {
    await once(application, 'message');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    application.send('begin');
    const started = performance.now();
    await WAYS[way](bench);
    const seconds = (performance.now() - started) / 1000;
    application.send('end');
    const [latency] = (await once(application, 'message')) as [Latency];
    return { ...latency, seconds };
  } finally {
    application.kill();
    await once(application, 'exit');
  }
}

async function main(): Promise<void> {
  const wanted = argument('server', '');
  const ways = argument('ways', NAMES.join(',')).split(',') as Way[];
  for (const flavor of availableFlavors().filter((name: Flavor) => wanted === '' || name === wanted)) {
    const bench = await startBench(flavor);
    try {
      const samples = new Map<Way, Sample[]>(ways.map((way) => [way, []]));
      for (let run = 0; run < RUNS; run++)
        for (const way of ways.map((_, at) => ways[(at + run) % ways.length]!))
          samples.get(way)!.push(await measure(bench, way));
      console.log(
        `${flavor} ${bench.server.version}: medians of ${RUNS} runs, ${ROWS.toLocaleString('en-US')} rows, ${WRITERS} clients at a steady pace`,
      );
      for (const way of ways) {
        const of = (pick: (sample: Sample) => number): number => median(samples.get(way)!.map(pick));
        console.log(
          `  ${way.padEnd(8)} p50 ${of((s) => s.p50).toFixed(1)} ms, p95 ${of((s) => s.p95).toFixed(1)} ms, longest ${of((s) => s.longest).toFixed(0)} ms, ${of((s) => s.seconds).toFixed(1)} s, ${of((s) => s.statements / s.seconds).toFixed(0)} statements per second`,
        );
      }
    } finally {
      await bench.done();
    }
  }
}

void main();
