/**
 * How long the cut-over blocks an application, as a client sees it that touches one row every 5 ms; beside a bare
 * `RENAME TABLE a TO b, c TO a`, in the same run and under the same load.
 *
 * And what it notices while somebody's transaction is open on the table for 30 s when the swap is due.
 *
 *   npm run bench:stall -- --server mysql --runs 20 --writers 1,8,32 --hold 30
 */
import createKnex from 'knex';
import { createConnection, type Connection } from 'mysql2/promise';
import { largeHadronMigrate } from '../lib';
import { availableFlavors, type Flavor } from '../spec/support/servers';
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { argument, DATABASE, fillTable, median, startBench, type Bench } from './support';

const RUNS = Number(argument('runs', '20'));
const ROWS = Number(argument('rows', '100000'));
const WRITERS = argument('writers', '4').split(',').map(Number);
/** Seconds; 0 for none. */
const HOLD = Number(argument('hold', '30'));

/** Answers that take longer have waited for something. */
const WAITED_MS = 50;

/** Touches one row every 5 ms and remembers the slowest answer since the last look. */
class Probe {
  private worst = 0;
  /** Ms spent in answers that have waited. */
  blocked = 0;
  private count = 0;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly sql: Connection) {}

  start(): void {
    this.running = (async () => {
      while (!this.stopped) {
        const started = performance.now();
        await this.sql.query('UPDATE t SET k = k + 1 WHERE id = 1');
        const took = performance.now() - started;
        this.worst = Math.max(this.worst, took);
        if (took > WAITED_MS) this.blocked += took;
        this.count += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
  }

  /** Resolves after an answer to a question asked after this call, so that what came before is over. */
  async settle(): Promise<void> {
    const enough = this.count + 2;
    while (this.count < enough) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  take(): number {
    const { worst } = this;
    this.worst = 0;
    return worst;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    await this.sql.end();
  }
}

async function bareRename(sql: Connection, probe: Probe): Promise<number> {
  await sql.query('CREATE TABLE t_new LIKE t');
  await sql.query('INSERT INTO t_new SELECT * FROM t');
  await probe.settle();
  probe.take();
  await sql.query('RENAME TABLE t TO t_old, t_new TO t');
  await probe.settle();
  const stall = probe.take();
  await sql.query('DROP TABLE t_old');
  return stall;
}

async function migration(
  bench: Bench,
  probe: Probe,
  column: string,
): Promise<{ stall: number; reported: number; quiet: number }> {
  const knex = createKnex({
    client: 'mysql2',
    connection: { ...bench.server.connection, database: DATABASE },
  });
  let quiet = 0;
  try {
    const result = await largeHadronMigrate(
      't',
      {
        ...{ knex, progress: 'none', cleanUp: { dropOldTable: false } },
        hooks: {
          beforeCutOver: () => {
            quiet = probe.take();
          },
        },
      },
      `ADD COLUMN ${column} INT NULL`,
    );
    await probe.settle();
    const stall = probe.take();
    await bench.sql.query(`DROP TABLE ${result.oldTable!}`);
    return { stall, reported: result.cutOver.stallMs, quiet };
  } finally {
    await knex.destroy();
  }
}

/** Somebody's transaction is open on the table when the swap is due, and for so long. */
async function held(bench: Bench, probe: Probe, column: string): Promise<string> {
  const knex = createKnex({
    client: 'mysql2',
    connection: { ...bench.server.connection, database: DATABASE },
  });
  const holder = await createConnection({ ...bench.server.connection, database: DATABASE });
  let released = 0;
  let started = 0;
  try {
    const result = await largeHadronMigrate(
      't',
      {
        ...{ knex, progress: 'none', cutOver: { oldReadViews: 'ignore' } },
        hooks: {
          beforeCutOver: async () => {
            await holder.query('START TRANSACTION');
            await holder.query('SELECT * FROM t WHERE id = 2');
            setTimeout(
              () => void holder.query('COMMIT').then(() => (released = performance.now())),
              HOLD * 1000,
            );
            await probe.settle();
            probe.take();
            probe.blocked = 0;
            started = performance.now();
          },
        },
      },
      `ADD COLUMN ${column} INT NULL`,
    );
    const ended = performance.now();
    await probe.settle();
    const share = (100 * probe.blocked) / (ended - started);
    await bench.sql.query(`DROP TABLE ${result.oldTable!}`);
    return `${result.cutOver.attempts} attempts, slowest answer ${probe.take().toFixed(0)} ms, blocked ${share.toFixed(1)} % of the time, swapped ${((ended - released) / 1000).toFixed(1)} s after it had ended`;
  } finally {
    await holder.end();
    await knex.destroy();
  }
}

async function measure(bench: Bench, writers: number): Promise<void> {
  const application = fork(
    join(__dirname, 'application.ts'),
    [JSON.stringify(bench.server.connection), String(ROWS), String(writers)],
    { execArgv: ['--import=tsx'] },
  );
  try {
    const probe = new Probe(await createConnection({ ...bench.server.connection, database: DATABASE }));
    probe.start();
    const bare: number[] = [];
    const ours: number[] = [];
    const reported: number[] = [];
    const before: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      bare.push(await bareRename(bench.sql, probe));
      const { stall, reported: said, quiet } = await migration(bench, probe, `extra_${writers}_${run}`);
      ours.push(stall);
      reported.push(said);
      before.push(quiet);
    }
    const line = (values: readonly number[]): string =>
      `median ${median(values).toFixed(0)} ms, maximum ${Math.max(...values).toFixed(0)} ms`;
    console.log(
      `${bench.server.flavor} ${bench.server.version}, ${writers} writers, ${RUNS} runs, the slowest answer a client saw`,
    );
    console.log(`  bare RENAME TABLE                   ${line(bare)}`);
    console.log(
      `  cut-over of a migration             ${line(ours)}  (${(median(ours) / median(bare)).toFixed(1)} times)`,
    );
    console.log(`  the same, as the migration says     ${line(reported)}`);
    console.log(`  the rest of the migration           ${line(before)}`);
    if (HOLD > 0)
      console.log(
        `  a transaction open for ${HOLD} s          ${await held(bench, probe, `held_${writers}`)}`,
      );
    console.log('');
    await probe.stop();
  } finally {
    application.kill();
  }
}

async function main(): Promise<void> {
  const wanted = argument('server', '');
  for (const flavor of availableFlavors().filter((name: Flavor) => wanted === '' || name === wanted)) {
    const bench = await startBench(flavor);
    // Copying must not lock the rows that the probe writes.
    await bench.sql.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    try {
      for (const writers of WRITERS) {
        await fillTable(bench.sql, 't', ROWS);
        await measure(bench, writers);
      }
    } finally {
      await bench.done();
    }
  }
}

void main();
