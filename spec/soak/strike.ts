import { createConnection, type Connection } from 'mysql2/promise';
import type { RunningServer } from '../support/servers';
import type { Random } from '../support/workload/random';
import { isReason } from './judge';
import { Migrator, type Order } from './migrator';
import type { Fault, FaultKind } from './plan';
import { killable } from './table';

export interface Target {
  readonly server: RunningServer;
  readonly database: string;
  readonly table: string;
  readonly migrator: Migrator;
  /** What it was told to do. */
  readonly order: Order;
  readonly limitMs: number;
  /** All that has struck the cycle so far; grows. */
  readonly struck: readonly FaultKind[];
  readonly random: Random;
}

/**
 * Does what the fault says. Resolves when it is over.
 *
 * @throws Error when something has happened that must not, whatever was struck
 */
export async function strike(fault: Fault, target: Target): Promise<void> {
  const { server, migrator } = target;
  switch (fault.kind) {
    case 'kill process':
      return migrator.kill();
    case 'abort': {
      migrator.abort();
      return;
    }
    case 'restart server':
      return server.restart();
    case 'kill server':
      await server.kill();
      return server.start();
    case 'take over':
      return takeOver(fault, target);
    default:
      return onServer(target, (sql) => bySql(fault, target, sql));
  }
}

/** Its connections end while the process stands still, and another one begins; then it goes on. */
async function takeOver({ holdMs }: Fault, target: Target): Promise<void> {
  const { migrator, order, limitMs, struck } = target;
  if (!migrator.alive) return;
  migrator.freeze();
  const thawed = new Promise((resolve) => setTimeout(resolve, holdMs)).then(() => migrator.thaw());
  const other = Migrator.start();
  try {
    await onServer(target, async (sql) => {
      for (const id of await killable(sql, target.database))
        await sql.query(`KILL ${id}`).catch(() => undefined);
    });
    const end = await other.run(order, limitMs, () => undefined);
    await thawed;
    if (end.how === 'done') return;
    // It was back before the other one came, or had done its work.
    const excuses = [
      'LHM_ALREADY_RUNNING',
      'LHM_PREFLIGHT',
      'LHM_ALTER_FAILED',
      'LHM_CONNECTION_LOST',
      'LHM_CANNOT_CONNECT',
    ];
    // Faults that were meant for the one that stands still, or for the server, hit this one as well.
    if (end.how === 'failed' && (excuses.includes(end.failure.code) || isReason(end.failure.code, struck)))
      return;
    throw new Error(`the run that took over: ${JSON.stringify(end)}`);
  } finally {
    await thawed;
    await other.kill();
  }
}

async function bySql(fault: Fault, target: Target, sql: Connection): Promise<void> {
  const { database, table, random } = target;
  if (fault.kind === 'kill connection' || fault.kind === 'kill query') {
    const ids = await killable(sql, target.database);
    if (ids.length > 0)
      await sql.query(`${fault.kind === 'kill query' ? 'KILL QUERY' : 'KILL'} ${random.pick(ids)}`);
    return;
  }
  await sql.query('SET SESSION lock_wait_timeout = 2');
  await sql.query(
    fault.kind === 'lock tables' ? `LOCK TABLES ${database}.${table} READ` : 'START TRANSACTION',
  );
  await sql.query(`SELECT COUNT(*) FROM ${database}.${table}`);
  // A lock keeps the writers, too.
  const holdMs = fault.kind === 'lock tables' ? fault.holdMs / 4 : fault.holdMs;
  await new Promise((resolve) => setTimeout(resolve, holdMs));
  await sql.query('ROLLBACK');
  await sql.query('UNLOCK TABLES');
}

/** The victim may be gone, or the server itself, by another fault. */
async function onServer({ server }: Target, work: (sql: Connection) => Promise<void>): Promise<void> {
  try {
    const sql = await createConnection({ ...server.connection, connectTimeout: 5000 });
    sql.on('error', () => undefined);
    await work(sql).finally(() => sql.destroy());
  } catch {
    return;
  }
}
