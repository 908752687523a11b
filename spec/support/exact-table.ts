import { expect } from 'chai';
import type { Knex } from 'knex';

import type { AlterFunction, MigrationResult } from '../../lib';
import { expectNoLeaks } from './leak-guard';
import type { RunningServer } from './servers';
import { quote, TestTable, type Options } from './test-table';

/** Keys and values that a driver's conversions damage: beyond 2^53, microseconds, decimals, bits, JSON, beyond the BMP. */
const COLUMNS = [
  'id BIGINT UNSIGNED NOT NULL',
  'at DATETIME(6) NOT NULL',
  'seen TIMESTAMP NULL',
  'amount DECIMAL(30, 10) NOT NULL',
  'flag TINYINT(1) NOT NULL',
  'bits BIT(12) NOT NULL',
  'payload JSON NOT NULL',
  'name VARCHAR(60) NOT NULL',
  'PRIMARY KEY (id, at)',
  'KEY emails_name_index (name)',
].join(', ');

const LARGEST = '18446744073709551000';
export const ROWS = 40;

export async function createExactTable(server: RunningServer): Promise<TestTable> {
  const test = await TestTable.create(server, { columns: COLUMNS });
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const id = i % 2 === 0 ? `${BigInt(LARGEST) + BigInt(i)}` : `9007199254740${String(900 + i)}`;
    const at = `2026-0${1 + (i % 9)}-0${1 + (i % 7)} 12:00:00.${String(123456 + i)}`;
    const payload = JSON.stringify({ n: i, text: `“${i}”` });
    const name = `it's ?? :name \\ ${i} 🐎`;
    return [id, at, '2026-01-02 03:04:05', `12345678901234567890.${1000000000 + i}`, i % 2, i, payload, name];
  });
  await test.query('INSERT INTO emails VALUES ?', [rows]);
  return test;
}

/** Adds a column of every sort, one of them with a value. */
export const CHANGE: AlterFunction = (t, ctx) => {
  t.string('hashed', 80).index();
  t.integer('extra').notNullable().defaultTo(7);
  ctx.values['hashed'] = "CONCAT(id, '/', at)";
};

/** Writes rows, changes keys and deletes, as an application would while the migration runs: the first or second time. */
async function writeMeanwhile(test: TestTable, time: 1 | 2): Promise<void> {
  await test.query(
    `INSERT INTO emails (id, at, seen, amount, flag, bits, payload, name)
      SELECT id + ?, at, NULL, amount + 0.0000000001, 1 - flag, bits + 1, payload, name FROM emails ORDER BY id LIMIT 3`,
    [100 * time],
  );
  await test.query('UPDATE emails SET at = at + INTERVAL 3 MICROSECOND, flag = 1 - flag ORDER BY id LIMIT 5');
  await test.query('DELETE FROM emails ORDER BY id DESC LIMIT 1');
}

/** Every value of the columns there were, as the server writes it. */
async function values(test: TestTable, table: string): Promise<string[]> {
  const rows = await test.query<{ line: string }>(
    `SELECT CONCAT_WS('|', id, at, seen, amount, flag, bits + 0, payload, HEX(name)) AS line FROM ${quote(table)} ORDER BY id, at`,
  );
  return rows.map(({ line }) => line);
}

/** Migrates through this Knex while the table is written to, and compares everything. */
export async function expectExact(
  test: TestTable,
  knex: Knex,
  options: Options = {},
): Promise<MigrationResult> {
  const result = await test.migrate(CHANGE, {
    ...{ knex, chunk: { rows: 7 }, verify: { rows: 7 }, ...options },
    hooks: {
      ...options.hooks,
      afterRowCopy: () => writeMeanwhile(test, 1),
      beforeCutOver: async (context) => {
        await options.hooks?.beforeCutOver?.(context);
        await writeMeanwhile(test, 2);
      },
    },
  });
  expect(result).to.include({ rowsCopied: ROWS, strategy: 'copy' });
  expect(result.verified).to.include({ notCompared: 0 });
  const now = await values(test, 'emails');
  expect(now).to.have.length(ROWS + 4);
  expect(now).to.deep.equal(await values(test, result.oldTable ?? ''));
  const [row] = await test.query(
    "SELECT COUNT(*) AS wrong FROM emails WHERE NOT (hashed <=> CONCAT(id, '/', at) AND extra = 7)",
  );
  expect(row).to.deep.equal({ wrong: 0 });
  expect(await test.definition()).to.contain('`emails_hashed_index`');
  await expectNoLeaks(test);
  return result;
}
