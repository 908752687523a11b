import { expect } from 'chai';

import type { AlterFunction, LargeHadronError, Phase } from '../../lib';
import type { Flavor, RunningServer } from './servers';
import { TestTable, type Options, type TestTableOptions } from './test-table';
import { expectNoLeaks } from './leak-guard';

/** What a refusal must say. */
export interface Refused {
  readonly code: string;
  /** Default: `preflight`. */
  readonly phase?: Phase;
  /** Found in the message. */
  readonly says?: RegExp;
  /** Found in the hint. */
  readonly hints?: RegExp;
  /** Codes of `problems`, sorted, where there are several. */
  readonly problems?: readonly string[];
}

/** One bad input: what is there, what is asked for, and how it must be refused. */
export interface BadInput extends Refused {
  readonly what: string;
  readonly only?: Flavor;
  readonly table?: TestTableOptions;
  /** SQL that is run before, in the test's database. */
  readonly before?: readonly string[];
  /** The table that is asked to be migrated. Default: the test's. */
  readonly migrate?: string;
  readonly alter?: AlterFunction | string;
  readonly options?: Options;
}

export const ADD_COLUMN: AlterFunction = (t) => {
  t.integer('extra');
};

/** A test for each bad input: it is refused clearly, and everything in the database is as it was. */
export function itRefuses(flavor: Flavor, server: () => RunningServer, inputs: readonly BadInput[]): void {
  for (const input of inputs) {
    if (input.only !== undefined && input.only !== flavor) continue;
    it(input.what, async () => {
      const test = await TestTable.create(server(), input.table);
      try {
        for (const sql of input.before ?? []) await test.query(sql);
        await expectRefused(test, input, () =>
          test.failure('alter' in input ? input.alter : ADD_COLUMN, input.options, input.migrate),
        );
      } finally {
        await test.drop();
      }
    });
  }
}

/** Runs what must be refused, and compares everything in the database before and after. */
export async function expectRefused(
  test: TestTable,
  expected: Refused,
  run: () => Promise<LargeHadronError>,
): Promise<LargeHadronError> {
  const before = await test.snapshot();
  const error = await run();
  const told = `${error.code} in ${error.phase}: ${error.message} (${String(error.cause)})`;
  expect(error.code, told).to.equal(expected.code);
  expect(error.phase, told).to.equal(expected.phase ?? 'preflight');
  expect(error.outcome, told).to.equal('untouched');
  expect(error.leftovers, told).to.deep.equal([]);
  expect(error.message).not.to.equal('');
  expect(error.hint.length, 'a hint').to.be.above(10);
  expect(error.table).to.contain(test.table);
  if (expected.says !== undefined) expect(error.message).to.match(expected.says);
  if (expected.hints !== undefined) expect(error.hint).to.match(expected.hints);
  if (expected.problems !== undefined) {
    expect(error.problems.map(({ code }) => code).sort(), told).to.deep.equal(expected.problems);
  }
  expect(await test.snapshot()).to.deep.equal(before);
  await expectNoLeaks(test, [...(await test.tables()), ...(await test.triggers())]);
  return error;
}
