import { Client } from './client';
import { LANE, LANES, Layout } from './layout';
import { resolveOptions, type PrepareOptions } from './options';
import { COLUMNS, PRISTINE_SQL } from './row';
import { addSlotKeySql, createLedgerSql, createPairSql, tablesOf } from './tables';

/** A digit, on any server; five of them count to 99,999. */
const DIGIT =
  '(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)';

/** Few enough that no single transaction is large, and no more at a time than a small machine has processors. */
const BATCH = 50_000;
const LOADERS = 2;

/**
 * Creates the table and its pair table, in place of older ones, and fills them on the server. Creates the database if
 * there is none.
 */
export async function prepareLedgerTable(options: PrepareOptions): Promise<void> {
  const tables = tablesOf(options.database, options.table);
  const { key } = resolveOptions({ seed: 0, ...options });
  const { span } = new Layout(options.rows, 1);
  const clients: Client[] = [];
  try {
    for (let i = 0; i < LOADERS; i++) clients.push(await open(options));
    const client = clients[0]!;
    await client.run(`CREATE DATABASE IF NOT EXISTS \`${options.database.replaceAll('`', '``')}\``);
    await client.run(`DROP TABLE IF EXISTS ${tables.ledger}, ${tables.pair}`);
    await client.run(createLedgerSql(tables.ledger, key));
    await client.run(createPairSql(tables.pair));
    let next = 0;
    const load = async (loader: Client): Promise<void> => {
      for (let from = next; from < span; from = next) {
        next = from + BATCH;
        await loader.run(fillSql(tables.ledger, from, Math.min(span, from + BATCH)));
      }
    };
    await Promise.all(clients.map(load));
    await client.run(addSlotKeySql(tables.ledger));
    await client.run(
      `INSERT INTO ${tables.pair} (id, version) SELECT id, 0 FROM ${tables.ledger} WHERE (id - 1) MOD ${LANES} = ${LANE.paired}`,
    );
    await client.run(`ANALYZE TABLE ${tables.ledger}, ${tables.pair}`);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

function open({ connection }: PrepareOptions): Promise<Client> {
  return Client.open({
    connection,
    isolation: 'READ COMMITTED',
    prepared: false,
    onStatement: () => undefined,
  });
}

/** Rows with `from < id <= to`. */
function fillSql(table: string, from: number, to: number): string {
  const numbers = `SELECT ${from} + 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n FROM ${DIGIT} a, ${DIGIT} b, ${DIGIT} c, ${DIGIT} e, ${DIGIT} f WHERE f.d < ${BATCH / 10_000}`;
  return `INSERT INTO ${table} (${COLUMNS.join(', ')})
    SELECT ${COLUMNS.map((column) => PRISTINE_SQL[column]).join(', ')} FROM (${numbers}) AS numbers
    WHERE n <= ${to} AND (n - 1) MOD ${LANES} <> ${LANE.gap} ORDER BY n`;
}
