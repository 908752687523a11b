import { expect } from 'chai';

import type { LargeHadronError } from '../../lib';
import { expectNoLeaks, sentries } from './leak-guard';
import type { TestTable } from './test-table';

/** A failed migration whose table must be exactly as it was, with nothing left. */
export interface Expected {
  readonly code: string | RegExp;
  readonly phase?: string;
  readonly outcome?: 'untouched' | 'rolled-back';
}

/**
 * Checks an honest failure: the table is what `before` says, nothing is left, and the application goes on writing.
 *
 * @param before the table's rows before the migration, with what the application has written meanwhile
 */
export async function expectTakenBack(
  test: TestTable,
  error: LargeHadronError,
  before: { readonly definition: string; readonly rows: readonly Record<string, unknown>[] },
  expected: Expected,
): Promise<void> {
  const told = `${error.code} in ${error.phase}, ${error.outcome}: ${error.message} (${String(error.cause)})`;
  if (typeof expected.code === 'string') expect(error.code, told).to.equal(expected.code);
  else expect(error.code, told).to.match(expected.code);
  expect(error.outcome, told).to.equal(expected.outcome ?? 'rolled-back');
  if (expected.phase !== undefined) expect(error.phase, told).to.equal(expected.phase);
  expect(error.leftovers, told).to.deep.equal([]);
  expect(error.hint.length, 'a hint').to.be.above(10);
  expect(withoutCounter(await test.definition())).to.equal(withoutCounter(before.definition));
  expect(await test.rows()).to.deep.equal(before.rows);
  await expectNoLeaks(test);
  expect(await test.tables()).to.deep.equal([test.table]);
  await expectWritable(test);
}

/** The application's writes succeed: no trigger writes to a table that is gone. */
export async function expectWritable(test: TestTable): Promise<void> {
  const table = '`' + test.table.replaceAll('`', '``') + '`';
  await test.query(`INSERT INTO ${table} (id, address) VALUES (900001, 'late@example.org')`);
  await test.query(`UPDATE ${table} SET address = 'later@example.org', id = 900002 WHERE id = 900001`);
  const [row] = await test.query(`SELECT address FROM ${table} WHERE id = 900002`);
  expect(row).to.deep.equal({ address: 'later@example.org' });
  await test.query(`DELETE FROM ${table} WHERE id = 900002`);
}

/** The leftovers of an error are all there is, and the statements given with them remove them. */
export async function expectTruthfulLeftovers(test: TestTable, error: LargeHadronError): Promise<void> {
  const helpers = (await test.tables()).filter((name) => /_lhm[cnjsrx](_\d+)?$/.test(name));
  const there = [...helpers, ...(await sentries(test)), ...(await test.triggers())].map(
    (name) => `${test.database}.${name}`,
  );
  expect(error.leftovers.map(({ name }) => name).sort()).to.deep.equal(there.sort());
  for (const { name, sql } of error.leftovers) {
    expect(error.hint).to.contain(name).and.contain(sql);
    await test.query(sql);
  }
  await expectNoLeaks(test);
}

export function withoutCounter(definition: string): string {
  return definition.replace(/ AUTO_INCREMENT=\d+/, '');
}
