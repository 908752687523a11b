/** An application at a steady pace that says what its statements took: `paced.ts <connection as JSON> <rows> <writers>`. */
import { createConnection, type Connection, type ConnectionOptions } from 'mysql2/promise';
import { DATABASE } from './support';

/** Milliseconds. */
export interface Latency {
  readonly statements: number;
  readonly p50: number;
  readonly p95: number;
  readonly longest: number;
}

const [connection = '{}', rows = '1', writers = '8'] = process.argv.slice(2);
/** Mean pause of each client between two statements, in ms: about half of what two cores can do. */
const PACE = 10;

let took: number[] = [];

function statement(): string {
  const id = 1 + Math.floor(Math.random() * Number(rows));
  const kind = Math.random();
  if (kind < 0.5) return `SELECT c FROM t WHERE id = ${id}`;
  if (kind < 0.8) return `UPDATE t SET k = k + 1 WHERE id = ${id}`;
  if (kind < 0.9) return `REPLACE INTO t (id, k, c, pad) VALUES (${id}, 1, 'c', 'pad')`;
  return `DELETE FROM t WHERE id = ${id}`;
}

async function client(sql: Connection): Promise<never> {
  for (;;) {
    const started = performance.now();
    await sql.query(statement()).catch(() => undefined);
    took.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 * PACE));
  }
}

async function main(): Promise<void> {
  const settings = { ...(JSON.parse(connection) as ConnectionOptions), database: DATABASE };
  const clients = await Promise.all(
    Array.from({ length: Number(writers) }, () => createConnection(settings)),
  );
  for (const sql of clients) void client(sql);
  process.on('message', (what: 'begin' | 'end') => {
    const sorted = took.sort((a, b) => a - b);
    took = [];
    if (what === 'begin') return;
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
    process.send?.({ statements: sorted.length, p50: at(0.5), p95: at(0.95), longest: sorted.at(-1) ?? 0 });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');
}

if (require.main === module) void main();
