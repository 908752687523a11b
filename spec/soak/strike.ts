import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import type { RunningServer } from '../support/servers';
import type { Random } from '../support/workload/random';
import type { Migrator } from './migrator';
import type { Fault } from './plan';

export interface Target {
  readonly server: RunningServer;
  readonly database: string;
  readonly table: string;
  readonly migrator: Migrator;
  readonly random: Random;
}

/** Does what the fault says. Resolves when it is over; true if there was something to strike. */
export async function strike(fault: Fault, target: Target): Promise<boolean> {
  const { server, migrator } = target;
  switch (fault.kind) {
    case 'kill process':
      await migrator.kill();
      return true;
    case 'abort':
      migrator.abort();
      return true;
    case 'restart server':
      await server.restart();
      return true;
    case 'kill server':
      await server.kill();
      await server.start();
      return true;
    default:
      return onServer(target, (sql) => bySql(fault, target, sql));
  }
}

async function bySql(fault: Fault, { database, table, random }: Target, sql: Connection): Promise<boolean> {
  if (fault.kind === 'kill connection' || fault.kind === 'kill query') {
    const [rows] = await sql.query<RowDataPacket[]>(
      'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()',
      [database],
    );
    if (rows.length === 0) return false;
    const id = String(random.pick(rows)['id']);
    await sql.query(`${fault.kind === 'kill query' ? 'KILL QUERY' : 'KILL'} ${id}`);
    return true;
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
  return true;
}

/** The victim may be gone, or the server itself, by another fault. */
async function onServer({ server }: Target, work: (sql: Connection) => Promise<boolean>): Promise<boolean> {
  try {
    const sql = await createConnection({ ...server.connection, connectTimeout: 5000 });
    sql.on('error', () => undefined);
    try {
      return await work(sql);
    } finally {
      sql.destroy();
    }
  } catch {
    return false;
  }
}
