/**
 * What capture costs the application, how fast changes are applied, and what memory a backlog of them takes: no migration, triggers and the binary log side by
 * side, in turns on one server.
 *
 *   npm run bench:changes -- --server mysql --rows 200000 --runs 3 --seconds 5 --writers 4
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import createKnex from 'knex';
import { largeHadronMigrate } from '../lib';
import { availableFlavors, type Flavor } from '../spec/support/servers';
import type { Written } from './closed-loop';
import { argument, DATABASE, fillTable, median, startBench, type Bench } from './support';

const ROWS = Number(argument('rows', '200000'));
const RUNS = Number(argument('runs', '3'));
const SECONDS = Number(argument('seconds', '5'));
const WRITERS = Number(argument('writers', '4'));

type Mode = 'none' | 'triggers' | 'binlog';
const MODES: readonly Mode[] = ['none', 'triggers', 'binlog'];

interface Sample extends Written {
  /** Changes of one large transaction, from its commit until all are applied. */
  readonly appliedPerSecond: number;
  /** CPU of this process for a thousand changes, in ms. */
  readonly cpuMs: number;
  /** By how much the memory of this process grew at most while they were applied. */
  readonly growthMb: number;
}

/** Bytes in use, buffers and what is not yet thrown away included. */
function inUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function ask(application: ChildProcess): Promise<Written> {
  application.send(SECONDS);
  const [written] = (await once(application, 'message')) as [Written];
  return written;
}

/** Every row changed by one transaction, so that all the changes are there at one instant. */
async function applyAll(
  { sql }: Bench,
  applied: () => number,
): Promise<Pick<Sample, 'appliedPerSecond' | 'cpuMs' | 'growthMb'>> {
  await sql.query('START TRANSACTION');
  await sql.query('UPDATE t SET k = k + 1');
  const [[count]] = (await sql.query('SELECT COUNT(*) AS n FROM t')) as unknown as [[{ n: number }]];
  const wanted = applied() + count.n;
  const cpu = process.cpuUsage();
  const before = inUse();
  let most = before;
  await sql.query('COMMIT');
  const started = performance.now();
  while (applied() < wanted) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    most = Math.max(most, inUse());
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    appliedPerSecond: count.n / seconds,
    cpuMs: (user + system) / count.n,
    growthMb: (most - before) / 1e6,
  };
}

/** The application writes, and then one large transaction is applied, while the swap is held back. */
async function during(bench: Bench, mode: 'triggers' | 'binlog', application: ChildProcess): Promise<Sample> {
  const knex = createKnex({
    client: 'mysql2',
    connection: { ...bench.server.connection, database: DATABASE },
  });
  const found: { sample?: Sample } = {};
  let applied = 0;
  let asked = false;
  let failure: unknown;
  const measureAll = async (): Promise<void> => {
    const written = await ask(application);
    await settled(() => applied);
    found.sample = { ...written, ...(await applyAll(bench, () => applied)) };
  };
  try {
    const result = await largeHadronMigrate(
      't',
      {
        ...{ knex, mode, verify: false, cleanUp: { dropOldTable: true } },
        progress: ({ changesApplied }) => (applied = changesApplied),
        cutOver: {
          postponeUntil: () => {
            if (!asked) void measureAll().catch((error: unknown) => (failure = error));
            asked = true;
            if (failure !== undefined) throw failure as Error;
            return found.sample !== undefined;
          },
        },
      },
      'ADD COLUMN extra INT NULL',
    );
    if (found.sample === undefined) throw new Error(`${result.table}: nothing was measured`);
    return found.sample;
  } finally {
    await knex.destroy();
  }
}

/** Until nothing more is applied: what the writers left is no part of what comes next. */
async function settled(applied: () => number): Promise<void> {
  for (let before = -1; applied() !== before;) {
    before = applied();
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
}

async function without(application: ChildProcess): Promise<Sample> {
  return { ...(await ask(application)), appliedPerSecond: NaN, cpuMs: NaN, growthMb: NaN };
}

async function measure(bench: Bench): Promise<void> {
  const samples: Record<Mode, Sample[]> = { none: [], triggers: [], binlog: [] };
  for (let run = 0; run < RUNS; run++) {
    for (const mode of MODES.map((_, at) => MODES[(at + run) % MODES.length]!)) {
      await fillTable(bench.sql, 't', ROWS);
      const application = fork(
        join(__dirname, 'closed-loop.ts'),
        [JSON.stringify(bench.server.connection), String(ROWS), String(WRITERS)],
        { execArgv: ['--import=tsx'] },
      );
      await once(application, 'message');
      try {
        samples[mode].push(
          mode === 'none' ? await without(application) : await during(bench, mode, application),
        );
      } finally {
        application.kill();
      }
    }
  }
  const { flavor, version } = bench.server;
  console.log(`${flavor} ${version}: medians of ${RUNS} runs, ${WRITERS} writers that never pause`);
  const of = (mode: Mode, pick: (sample: Sample) => number): number => median(samples[mode].map(pick));
  const rate = (mode: Mode): number => of(mode, (s) => s.perSecond) / of('none', (s) => s.perSecond);
  for (const mode of MODES) {
    const latency = `p50 ${of(mode, (s) => s.p50).toFixed(2)} ms, p95 ${of(mode, (s) => s.p95).toFixed(2)} ms`;
    const applied =
      mode === 'none'
        ? ''
        : `; ${of(mode, (s) => s.appliedPerSecond).toFixed(0)} changes applied per second, ${(1000 * of(mode, (s) => s.cpuMs / 1000)).toFixed(1)} ms of CPU a thousand, ${of(mode, (s) => s.growthMb).toFixed(0)} MB more memory at most`;
    console.log(
      `  ${mode.padEnd(8)} ${of(mode, (s) => s.perSecond).toFixed(0)} statements per second (${rate(mode).toFixed(2)}), ${latency}${applied}`,
    );
  }
}

async function main(): Promise<void> {
  const wanted = argument('server', '');
  for (const flavor of availableFlavors().filter((name: Flavor) => wanted === '' || name === wanted)) {
    const bench = await startBench(flavor);
    try {
      await measure(bench);
    } finally {
      await bench.done();
    }
  }
}

void main();
