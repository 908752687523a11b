import { createConnection, type Connection } from 'mysql2/promise';
import { startServer, type Flavor, type RunningServer } from '../spec/support/servers';

export const DATABASE = 'bench';

/** Durable, as a production server is; a buffer pool that holds the tables, so that the disk is not what is measured. */
export const DURABLE = [
  '--innodb-flush-log-at-trx-commit=1',
  '--sync-binlog=1',
  '--innodb-buffer-pool-size=2G',
];

export interface Bench {
  readonly server: RunningServer;
  readonly sql: Connection;
}

/** A server for one benchmark; `done` ends it. */
export async function startBench(flavor: Flavor): Promise<Bench & { done(): Promise<void> }> {
  const server = await startServer(flavor, { args: DURABLE });
  const sql = await createConnection(server.connection);
  await sql.query(`CREATE DATABASE IF NOT EXISTS ${DATABASE} CHARACTER SET utf8mb4`);
  await sql.query(`USE ${DATABASE}`);
  return {
    server,
    sql,
    done: async () => {
      await sql.end();
      await server.stop();
    },
  };
}

/** `--name value` on the command line. */
export function argument(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A table like sysbench's, filled on the server. */
export async function fillTable(sql: Connection, table: string, rows: number): Promise<void> {
  await sql.query(`DROP TABLE IF EXISTS ${table}`);
  await sql.query(
    `CREATE TABLE ${table} (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, KEY by_k (k)) ENGINE = InnoDB`,
  );
  const step = 50_000;
  await sql.query(`SET SESSION cte_max_recursion_depth = ${step + 1}`).catch(() => undefined);
  await sql.query(`SET SESSION max_recursive_iterations = ${step + 1}`).catch(() => undefined);
  for (let from = 1; from <= rows; from += step) {
    const to = Math.min(rows, from + step - 1);
    await sql.query(
      `INSERT INTO ${table} (id, k, c, pad)
         WITH RECURSIVE n AS (SELECT ${from} AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
         SELECT i, CRC32(i) % 1000000, LEFT(REPEAT(SHA2(i, 256), 2), 120), SHA2(-i, 224) FROM n`,
    );
  }
  await sql.query(`ANALYZE TABLE ${table}`);
}
