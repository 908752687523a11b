/**
 * Rows of the binary log per second of this process's CPU: passed over (nobody wants the table), the key only, and all
 * columns; plain, and as the server compresses them.
 *
 *   npm run bench:binlog -- --server mysql --rows 1000000 --runs 3
 */
import createKnex from 'knex';
import { BinlogStream } from '../lib/binlog/binlog-stream';
import { currentPosition, type BinlogPosition } from '../lib/binlog/binlog-position';
import type { ColumnFacts, StreamedTable } from '../lib/binlog/streamed-table';
import { connectDatabase } from '../lib/database/mysql-database';
import { availableFlavors, type Flavor } from '../spec/support/servers';
import { argument, DATABASE, fillTable, median, startBench, type Bench } from './support';

const ROWS = Number(argument('rows', '1000000'));
const RUNS = Number(argument('runs', '3'));

const COMPRESSED: Readonly<Record<Flavor, string>> = {
  mysql: 'SET SESSION binlog_transaction_compression = ON',
  mariadb: 'SET GLOBAL log_bin_compress = ON',
};

const FACTS: readonly ColumnFacts[] = [
  { name: 'id', dataType: 'bigint', columnType: 'bigint', charset: null },
  { name: 'k', dataType: 'int', columnType: 'int', charset: null },
  { name: 'c', dataType: 'char', columnType: 'char(120)', charset: 'utf8mb4' },
  { name: 'pad', dataType: 'char', columnType: 'char(60)', charset: 'utf8mb4' },
];

function table(name: string, columns: readonly ColumnFacts[], wanted: readonly string[]): StreamedTable {
  return { key: name, schema: DATABASE, table: name, columns, wanted };
}

const MARK: readonly ColumnFacts[] = [{ name: 'id', dataType: 'int', columnType: 'int', charset: null }];

interface Sample {
  /** Per second of CPU. */
  readonly rows: number;
  /** Per second of the clock. */
  readonly bytes: number;
}

/** Reads from a position on, until the mark. */
async function read(
  bench: Bench,
  from: BinlogPosition,
  bytes: number,
  wanted: readonly string[],
): Promise<Sample> {
  const knex = createKnex({
    client: 'mysql2',
    connection: { ...bench.server.connection, database: DATABASE },
  });
  const database = await connectDatabase(knex);
  const tables = [...(wanted.length === 0 ? [] : [table('t', FACTS, wanted)]), table('mark', MARK, ['id'])];
  const stream = new BinlogStream({ database, tables });
  try {
    const started = performance.now();
    const cpu = process.cpuUsage();
    await stream.start(from);
    for await (const { events } of stream) {
      if (events.some((event) => event.kind === 'rows' && event.table === 'mark')) break;
    }
    const { user, system } = process.cpuUsage(cpu);
    return { rows: ROWS / ((user + system) / 1e6), bytes: bytes / ((performance.now() - started) / 1000) };
  } finally {
    stream.close();
    await database.close();
    await knex.destroy();
  }
}

/** Writes the rows, then a mark. */
async function write({ server, sql }: Bench): Promise<BinlogPosition> {
  const knex = createKnex({ client: 'mysql2', connection: { ...server.connection, database: DATABASE } });
  const database = await connectDatabase(knex);
  try {
    await sql.query('DROP TABLE IF EXISTS mark');
    await sql.query('CREATE TABLE mark (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB');
    const position = await currentPosition(await database.open('bench'));
    await fillTable(sql, 't', ROWS);
    await sql.query('INSERT INTO mark VALUES (1)');
    return position;
  } finally {
    await database.close();
    await knex.destroy();
  }
}

/** Bytes of a row as it stands in an uncompressed log: two integers, two texts with a byte of length each, which are NULL. */
const ROW_BYTES = 1 + 8 + 4 + 121 + 57;

async function main(): Promise<void> {
  const only = argument('server', '');
  for (const flavor of availableFlavors().filter((name) => only === '' || name === only)) {
    const bench = await startBench(flavor);
    try {
      for (const compressed of [false, true]) {
        if (compressed) await bench.sql.query(COMPRESSED[flavor]);
        const from = await write(bench);
        console.log(
          `${flavor} ${bench.server.version}, ${compressed ? 'compressed' : 'plain'}: medians of ${RUNS} runs`,
        );
        for (const [what, wanted] of [
          ['passed over', []],
          ['key only', ['id']],
          ['all columns', FACTS.map(({ name }) => name)],
        ] as const) {
          const samples: Sample[] = [];
          for (let run = 0; run < RUNS; run++)
            samples.push(await read(bench, from, ROWS * ROW_BYTES, wanted));
          const rows = median(samples.map((sample) => sample.rows)) / 1e6;
          const bytes = median(samples.map((sample) => sample.bytes)) / 1e6;
          console.log(
            `  ${what.padEnd(12)} ${rows.toFixed(2).padStart(6)} M rows per CPU second, ${bytes.toFixed(0).padStart(5)} MB/s of the clock`,
          );
        }
      }
    } finally {
      await bench.done();
    }
  }
}

void main();
