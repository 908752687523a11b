import { expect } from 'chai';
import createKnex from 'knex';
import { createConnection, type Connection } from 'mysql2/promise';
import { largeHadronMigrate } from '../../lib';
import { availableFlavors, startServer, type Flavor, type RunningServer } from '../support/servers';

const DATABASE = 'lhm_keys';

interface Kind {
  /** Columns and keys of the table; `n` and `note` are added. */
  readonly columns: string;
  /** The columns that name a row. */
  readonly key: readonly string[];
  /** Literals of the keys, several chunks of them. */
  readonly rows: readonly string[];
  readonly only?: Flavor;
  /** Default: a new column. */
  readonly alter?: string;
}

const many = (make: (i: number) => string, count = 40): string[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** Keys by which a table must be walkable, each with the values that are easily mangled. */
const KINDS: Readonly<Record<string, Kind>> = {
  'BIGINT UNSIGNED beyond 2^63': {
    columns: 'id BIGINT UNSIGNED PRIMARY KEY',
    key: ['id'],
    rows: ['0', '1', '9007199254740993', ...many((i) => String(18446744073709551615n - BigInt(i)))],
  },
  'negative ids and 0': { columns: 'id INT PRIMARY KEY', key: ['id'], rows: many((i) => String(i - 20)) },
  'AUTO_INCREMENT with id 0': {
    columns: 'id INT PRIMARY KEY AUTO_INCREMENT',
    key: ['id'],
    rows: many((i) => String(i)),
  },
  'sparse ids': {
    columns: 'id BIGINT PRIMARY KEY',
    key: ['id'],
    rows: many((i) => String(i * 100_000_000_000)),
  },
  'ZEROFILL that is taken away': {
    columns: 'id INT(8) UNSIGNED ZEROFILL PRIMARY KEY',
    key: ['id'],
    rows: many((i) => String(i)),
    alter: 'MODIFY id BIGINT NOT NULL',
  },
  DECIMAL: {
    columns: 'id DECIMAL(38,10) PRIMARY KEY',
    key: ['id'],
    rows: many((i) => `${i % 2 ? '-' : ''}1234567890123456789012345678.${String(i).padStart(10, '0')}`),
  },
  'DATETIME(6)': {
    columns: 'id DATETIME(6) PRIMARY KEY',
    key: ['id'],
    rows: many((i) => `'2026-03-29 02:30:00.0000${String(i).padStart(2, '0')}'`),
  },
  TIMESTAMP: {
    columns: 'id TIMESTAMP PRIMARY KEY',
    key: ['id'],
    rows: many((i) => `'2026-10-25 01:30:${String(i).padStart(2, '0')}'`),
  },
  'BINARY(16) with trailing zeros and invalid UTF-8': {
    columns: 'id BINARY(16) PRIMARY KEY',
    key: ['id'],
    rows: many((i) => `X'FF00C328${i.toString(16).padStart(2, '0')}0000000000000000000000'`),
  },
  'VARCHAR with quotes, backslashes, emoji and NUL': {
    columns: 'id VARCHAR(50) CHARACTER SET utf8mb4 PRIMARY KEY',
    key: ['id'],
    rows: [
      `'it''s'`,
      `'back\\\\slash'`,
      `'"'`,
      `'\`'`,
      `''`,
      `CONCAT('nul', CHAR(0), 'x')`,
      ...many((i) => `'😀${i}'`),
    ],
  },
  'latin1 VARCHAR': {
    columns: 'id VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY',
    key: ['id'],
    rows: many((i) => `CONCAT(_latin1 X'E9', ${i})`),
  },
  ENUM: {
    columns: "id ENUM('z','y','x','b','a','c') PRIMARY KEY",
    key: ['id'],
    rows: ["'z'", "'y'", "'x'", "'b'", "'a'", "'c'"],
  },
  BIT: { columns: 'id BIT(10) PRIMARY KEY', key: ['id'], rows: many((i) => String(i * 20)) },
  'three columns': {
    columns: 'a INT NOT NULL, b VARCHAR(10) NOT NULL, c DATE NOT NULL, PRIMARY KEY (a, b, c)',
    key: ['a', 'b', 'c'],
    rows: many(
      (i) => `${i % 3}, '${'abc'.charAt(i % 2)}', '2026-01-${String(1 + (i % 28)).padStart(2, '0')}'`,
    ),
  },
  'UNIQUE NOT NULL instead of a primary key': {
    columns: 'id INT NULL, code VARCHAR(20) NOT NULL, UNIQUE KEY by_code (code)',
    key: ['code'],
    rows: many((i) => `'c${i}'`),
  },
  UUID: {
    columns: 'id UUID PRIMARY KEY',
    key: ['id'],
    rows: many((i) => `'123e4567-e89b-12d3-a456-4266141740${String(i).padStart(2, '0')}'`),
    only: 'mariadb',
  },
};

for (const flavor of availableFlavors()) {
  describe(`chunk keys on ${flavor}`, function () {
    let server: RunningServer;
    let sql: Connection;

    before(async () => {
      server = await startServer(flavor);
      sql = await createConnection({ ...server.connection, timezone: 'Z' });
      await sql.query(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
      await sql.query(`USE ${DATABASE}`);
      await sql.query(
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO'), time_zone = '+05:00'",
      );
    });
    after(async () => {
      await sql.end();
      await server.stop();
    });

    for (const [name, kind] of Object.entries(KINDS)) {
      if (kind.only !== undefined && kind.only !== flavor) continue;
      it(`${name}: every row arrives, with changes in every chunk`, async () => {
        await sql.query('DROP TABLE IF EXISTS t');
        await sql.query(`CREATE TABLE t (${kind.columns}, n INT NOT NULL DEFAULT 0, note VARCHAR(10))`);
        const keys = kind.key.join(', ');
        for (const row of kind.rows) await sql.query(`INSERT IGNORE INTO t (${keys}) VALUES (${row})`);
        const knex = createKnex({
          client: 'mysql2',
          connection: { ...server.connection, database: DATABASE },
        });
        try {
          const result = await largeHadronMigrate(
            't',
            {
              ...{ knex, progress: 'none', chunk: { rows: 3 }, verify: { rows: 4 } },
              hooks: {
                // Captured, and so addressed by key on both tables: updates, deletes and inserts anew.
                beforeRowCopy: () => sql.query('UPDATE t SET n = n + 1').then(() => undefined),
                afterRowCopy: async () => {
                  await sql.query('UPDATE t SET n = n + 2');
                  const [rows] = await sql.query('SELECT COUNT(*) AS n FROM t');
                  expect((rows as { n: number }[])[0]!.n).to.be.above(3);
                  await sql.query(`CREATE TEMPORARY TABLE aside SELECT * FROM t ORDER BY ${keys} LIMIT 3`);
                  await sql.query(`DELETE FROM t ORDER BY ${keys} LIMIT 3`);
                  await sql.query(`INSERT INTO t SELECT * FROM aside ORDER BY ${keys} LIMIT 2`);
                  await sql.query('DROP TEMPORARY TABLE aside');
                },
              },
            },
            kind.alter ?? 'ADD COLUMN extra INT NULL',
          );
          const [old] = await sql.query({
            sql: `SELECT ${keys}, n, note FROM ${result.oldTable!} ORDER BY ${keys}`,
            rowsAsArray: true,
          });
          const [now] = await sql.query({
            sql: `SELECT ${keys}, n, note FROM t ORDER BY ${keys}`,
            rowsAsArray: true,
          });
          expect(now).to.deep.equal(old);
          expect((now as number[][]).every((row) => row[kind.key.length] === 3)).to.equal(true);
          expect(result.changesApplied).to.be.above(0);
          await sql.query(`DROP TABLE ${result.oldTable!}`);
        } finally {
          await knex.destroy();
        }
      });
    }
  });
}
