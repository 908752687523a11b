import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Actor } from './actors/actor';
import { startDump } from './actors/dump';
import { startFreshReader } from './actors/fresh-reader';
import { startPairedReader } from './actors/paired-reader';
import { startProbe } from './actors/probe';
import type { Run } from './actors/run';
import { Stopper } from './actors/stopper';
import { startWriter } from './actors/writer';
import { buildReport } from './build-report';
import { Client } from './client';
import { finalCheck } from './final-check';
import { Layout } from './layout';
import { Ledger } from './ledger';
import { liveStats, type LiveStats } from './live-stats';
import { resolveOptions, type WorkloadOptions } from './options';
import type { LedgerReport } from './report';
import { Statements } from './statements';
import { tablesOf } from './tables';
import { Tally } from './tally';

export interface Workload {
  /** Starts all clients. They run until `stop()`. */
  start(): void;
  /**
   * Lets every transaction finish, compares the whole table with the ledger, and says what was found. Rejects if a
   * client does not finish in time, with who is stuck on what. A second call gives the same report.
   */
  stop(): Promise<LedgerReport>;
  /** Where it stands, at any time. */
  stats(): LiveStats;
  /** Begins a new phase: the report counts transactions, deadlocks and latencies for each. */
  mark(name: string): void;
}

/** The application on a table that `prepareLedgerTable` has just made, and that nobody else changes. */
export function createWorkload(given: WorkloadOptions): Workload {
  const options = resolveOptions(given);
  const layout = new Layout(options.rows, options.writers);
  const run: Run = {
    options,
    layout,
    ledger: new Ledger(layout),
    statements: new Statements(tablesOf(options.database, options.table)),
    tally: new Tally(
      options.lostConnections === 'expected',
      options.missingTable === 'expected',
      options.shutdowns === 'expected',
    ),
    stopper: new Stopper(),
  };
  const eventLoop = monitorEventLoopDelay({ resolution: 5 });
  let actors: Actor[] = [];
  let stopped: Promise<LedgerReport> | null = null;

  const finish = async (): Promise<LedgerReport> => {
    run.stopper.stop();
    await allDone(actors, options.stopTimeoutMs);
    run.tally.end();
    eventLoop.disable();
    const rows = await check(run);
    return buildReport(run, rows, Math.round(eventLoop.max / 1e6));
  };

  return {
    start() {
      if (actors.length > 0) throw new Error('The workload has been started already');
      run.tally.start();
      eventLoop.enable();
      actors = startActors(run);
    },
    stop() {
      return (stopped ??= finish());
    },
    stats: () => liveStats(run),
    mark: (name) => {
      run.tally.mark(name);
    },
  };
}

function startActors(run: Run): Actor[] {
  const { options } = run;
  const several = (n: number, start: (run: Run, i: number) => Actor): Actor[] =>
    Array.from({ length: n }, (_, i) => start(run, i));
  return [
    ...several(options.writers, startWriter),
    ...several(options.readers ? 2 : 0, startFreshReader),
    ...several(options.pairedReaders, startPairedReader),
    ...several(options.dumps ? options.dumpClients : 0, startDump),
    ...several(options.probe ? 1 : 0, startProbe),
  ];
}

async function allDone(actors: readonly Actor[], timeoutMs: number): Promise<void> {
  const busy = new Set(actors);
  const done = Promise.all(actors.map((actor) => actor.done.finally(() => busy.delete(actor))));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([done, late]);
  clearTimeout(timer);
  if (busy.size === 0) return;
  const who = [...busy].map((actor) => `${actor.name} (${actor.running})`).join('; ');
  for (const actor of busy) actor.abandon();
  throw new Error(`The workload has not stopped within ${timeoutMs} ms: ${who}`);
}

async function check(run: Run): Promise<{ expected: number; actual: number }> {
  const client = await Client.open({
    connection: run.options.connection,
    isolation: 'READ COMMITTED',
    prepared: false,
    onStatement: () => undefined,
  });
  try {
    return await finalCheck(client, run.statements.tables, run.ledger, run.tally);
  } finally {
    await client.end();
  }
}
