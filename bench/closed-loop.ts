/** Writers that never pause, for some seconds each time they are asked: `closed-loop.ts <connection as JSON> <rows> <writers>`. */
import { createConnection, type Connection, type ConnectionOptions } from 'mysql2/promise';
import { DATABASE } from './support';

/** What the writers saw in one measurement. */
export interface Written {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
}

const [connection = '{}', rows = '1', writers = '4'] = process.argv.slice(2);

function statement(ordinal: number): string {
  const id = 1 + Math.floor(Math.random() * Number(rows));
  if (ordinal % 10 < 7) return `UPDATE t SET k = k + 1 WHERE id = ${id}`;
  return ordinal % 10 < 9
    ? `INSERT INTO t (k, c, pad) VALUES (${id}, 'c', 'pad')`
    : `DELETE FROM t WHERE id = ${id}`;
}

async function write(sql: Connection, until: number, took: number[]): Promise<void> {
  for (let ordinal = 0; performance.now() < until; ordinal++) {
    const started = performance.now();
    await sql.query(statement(ordinal));
    took.push(performance.now() - started);
  }
}

async function measure(clients: readonly Connection[], seconds: number): Promise<Written> {
  const took: number[] = [];
  const until = performance.now() + seconds * 1000;
  await Promise.all(clients.map((sql) => write(sql, until, took)));
  took.sort((a, b) => a - b);
  const at = (share: number): number => took[Math.floor(took.length * share)] ?? 0;
  return { perSecond: took.length / seconds, p50: at(0.5), p95: at(0.95) };
}

async function main(): Promise<void> {
  const settings = { ...(JSON.parse(connection) as ConnectionOptions), database: DATABASE };
  const clients = await Promise.all(
    Array.from({ length: Number(writers) }, () => createConnection(settings)),
  );
  // The rows they write to at the same time are seldom the same, and never in two orders.
  for (const sql of clients) await sql.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  process.on('message', (seconds: number) => {
    void measure(clients, seconds).then((written) => process.send?.(written));
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');
}

if (require.main === module) void main();
