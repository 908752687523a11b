/** Writers and readers on the benchmark's table, until killed: `application.ts <connection as JSON> <rows> <writers>`. */
import { createConnection, type ConnectionOptions } from 'mysql2/promise';
import { DATABASE } from './support';

const [connection = '{}', rows = '1', writers = '4'] = process.argv.slice(2);
/** Mean pause of each writer, in ms: a busy table, not a saturated server. */
const PACE = 8;

async function writer(random: () => number): Promise<never> {
  const sql = await createConnection({
    ...(JSON.parse(connection) as ConnectionOptions),
    database: DATABASE,
  });
  sql.on('error', () => process.exit(0));
  const id = (): number => 1 + Math.floor(random() * Number(rows));
  for (;;) {
    const statement =
      random() < 0.5
        ? `UPDATE t SET k = k + 1 WHERE id = ${id()}`
        : random() < 0.7
          ? `SELECT c FROM t WHERE id = ${id()}`
          : `REPLACE INTO t (id, k, c, pad) VALUES (${id()}, 1, 'c', 'pad')`;
    // A native ALTER makes it wait, which is not its concern.
    await sql.query(statement).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, random() * 2 * PACE));
  }
}

for (let i = 0; i < Number(writers); i++) void writer(Math.random);
setTimeout(() => process.send?.('started'), 500);
process.on('disconnect', () => process.exit(0));
