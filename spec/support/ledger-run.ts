import createKnex, { type Knex } from 'knex';
import { createConnection } from 'mysql2/promise';
import {
  LargeHadronError,
  largeHadronMigrate,
  type AlterFunction,
  type LargeHadronOptions,
  type MigrationResult,
} from '../../lib';
import type { RunningServer } from './servers';
import { createWorkload, prepareLedgerTable, type LedgerReport, type WorkloadOptions } from './workload';

export interface LedgerRunOptions {
  readonly seed: number;
  readonly workload?: Partial<WorkloadOptions>;
  readonly migration?: Partial<Omit<LargeHadronOptions, 'knex'>>;
  readonly alter?: AlterFunction;
  /** Puts something between the library and the driver. */
  readonly wrap?: (knex: Knex) => void;
  /** How long the application goes on after the swap, in ms: views opened before it are used up to then. */
  readonly afterMs?: number;
}

export interface LedgerRun {
  readonly report: LedgerReport;
  readonly result: MigrationResult | LargeHadronError;
  /** Tables and triggers of ours that are left, the old table apart. */
  readonly leftovers: readonly string[];
}

const TABLE = 'emails';

let runs = 0;

/** Builds a table, starts the application on it, migrates, and compares every row with what it must be. */
export async function ledgerRun(server: RunningServer, options: LedgerRunOptions): Promise<LedgerRun> {
  const database = `lhm_ledger_${process.pid}_${++runs}`;
  const { connection } = server;
  const admin = await createConnection(connection);
  await admin.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
  const given: WorkloadOptions = {
    ...{ connection, database, table: TABLE, rows: 9000, seed: options.seed, probe: true },
    // Where older views have to be waited for, ever-overlapping ones would put the swap off for ever.
    ...(server.flavor === 'mariadb' ? { holdMs: 250, dumpClients: 1, dumpMs: 300, restMs: 4000 } : {}),
    ...options.workload,
  };
  const knex = createKnex({
    client: 'mysql2',
    connection: { ...connection, database },
    pool: { min: 0, max: 1 },
  });
  options.wrap?.(knex);
  try {
    await prepareLedgerTable(given);
    const workload = createWorkload(given);
    workload.start();
    let result: MigrationResult | LargeHadronError;
    try {
      result = await migrate(knex, server, options);
      workload.mark('after the swap');
      await new Promise((resolve) => setTimeout(resolve, options.afterMs ?? (given.holdMs ?? 2000) + 300));
    } catch (error) {
      if (!(error instanceof LargeHadronError)) throw error;
      result = error;
    } finally {
      // Clients must not outlive a failed run.
      await workload.stop().catch(() => undefined);
    }
    const report = await workload.stop();
    return { report, result, leftovers: await leftovers(admin, database) };
  } finally {
    await knex.destroy();
    await admin.query(`DROP DATABASE ${database}`);
    await admin.end();
  }
}

function migrate(
  knex: Knex,
  { mode = 'triggers' }: RunningServer,
  { migration, alter }: LedgerRunOptions,
): Promise<MigrationResult> {
  return largeHadronMigrate(
    TABLE,
    {
      ...{ knex, mode, progress: 'none', chunk: { rows: 500 }, ...migration },
      // On a loaded machine the workload's own read views are older than half a second, and each pause is ten times as long.
      cutOver: { drainBudgetMs: 3000, lockTimeoutMs: 3000, ...migration?.cutOver },
    },
    alter ??
      ((t) => {
        t.string('hashed_address', 64);
        t.index(['hashed_address']);
      }),
  );
}

async function leftovers(
  admin: Awaited<ReturnType<typeof createConnection>>,
  database: string,
): Promise<string[]> {
  const [rows] = await admin.query(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?
      UNION ALL SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`,
    [database, database],
  );
  return (rows as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => name !== TABLE && name !== `${TABLE}_pair` && !name.startsWith(`${TABLE}_lhmo_`));
}
