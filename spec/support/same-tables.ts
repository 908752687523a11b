import { expect } from 'chai';

import { quote, type TestTable } from './test-table';

/** Both tables have the same definition, but for the name and the counter, and the same rows, byte by byte. */
export async function expectSame(test: TestTable, table: string, other: string): Promise<void> {
  expect(await definition(test, table)).to.equal(await definition(test, other));
  const [rows, others] = [await contents(test, table), await contents(test, other)];
  // Not all of them, so that a failure shows those that matter.
  expect(rows.filter((row) => !others.includes(row))).to.deep.equal(
    others.filter((row) => !rows.includes(row)),
  );
  expect(rows).to.have.length(others.length);
}

async function definition(test: TestTable, table: string): Promise<string> {
  const text = await test.definition(table);
  return text.replace(quote(table), '`it`').replace(/ AUTO_INCREMENT=\d+/, '');
}

async function contents(test: TestTable, table: string): Promise<string[]> {
  const columns = await test.query<{ Field: string }>(`SHOW COLUMNS FROM ${quote(table)}`);
  const list = columns.map(({ Field }) => `HEX(CAST(${quote(Field)} AS BINARY)) AS ${quote(Field)}`);
  const rows = await test.query(`SELECT ${list.join(', ')} FROM ${quote(table)}`);
  return rows.map((row) => JSON.stringify(row)).sort();
}
