import { expect } from 'chai';
import type { Connection as Client } from 'mysql2/promise';

import type { LargeHadronError, MigrationResult } from '../../lib';
import { expectNoLeaks } from './leak-guard';
import { withoutCounter } from './leak-guard-leftovers';
import { contentsOf, makeNativeTwin, shapeOf } from './native-twin';
import type { Flavor, RunningServer } from './servers';
import { failureOf, TestTable, type Options } from './test-table';
import { intercept } from './test-table-statements';

/** A table, a change of it, and what an application does meanwhile. */
export interface Situation {
  /** What stands between the parentheses of CREATE TABLE. */
  readonly columns: string;
  /** Run before the migration. */
  readonly rows: readonly string[];
  readonly alter: string;
  /**
   * What the application does, each at the next of three places in turn: while the first chunk is copied and before the
   * others are, when all were, and just before the cut-over.
   */
  readonly writes?: readonly (string | readonly string[])[];
  /** Run first on the application's connection. */
  readonly session?: readonly string[];
  readonly options?: Options;
  /** Global variables for as long as the migration takes. */
  readonly globals?: Readonly<Record<string, string>>;
}

/** One row of the list. */
export interface Corruption {
  readonly title: string;
  readonly only?: Flavor;
  readonly run: (stage: Stage) => Promise<void>;
}

/** A server, and the table of the test that is running. */
export class Stage {
  private made: TestTable | null = null;

  constructor(
    readonly server: RunningServer,
    readonly flavor: Flavor,
  ) {}

  get test(): TestTable {
    if (this.made === null) throw new Error('the test has made no table yet');
    return this.made;
  }

  async create(situation: Pick<Situation, 'columns' | 'rows'>): Promise<TestTable> {
    this.made = await TestTable.create(this.server, { columns: situation.columns });
    await this.made.query('SET NAMES utf8mb4');
    for (const sql of situation.rows) await this.made.query(sql);
    return this.made;
  }

  async drop(): Promise<void> {
    await this.made?.drop();
    this.made = null;
  }

  /** Makes the table and migrates it, with the application's writes at their places. */
  async play(situation: Situation): Promise<{ migrated: Promise<MigrationResult>; written: () => Written }> {
    const { alter, writes = [], session = [], options = {}, globals = {} } = situation;
    const test = await this.create(situation);
    const application = await test.connect();
    for (const sql of session) await application.query(sql);
    let written = await stateOf(test);
    const at = async (place: number): Promise<void> => {
      for (const one of writes.filter((_, i) => i % 3 === place)) await write(application, one);
      written = await stateOf(test);
    };
    const copied = {
      match: /^INSERT INTO \S+_lhmn` (?!.*WHERE FALSE$)/,
      when: 'after',
      run: () => at(0),
    } as const;
    const first = intercept(test.knex, copied);
    let work = async (): Promise<MigrationResult> => {
      const result = await test.migrate(alter, {
        ...{ chunk: { rows: 2 }, verify: { rows: 3 }, ...options },
        hooks: { afterRowCopy: () => at(1), beforeCutOver: () => at(2) },
      });
      expect(first.happened, 'a chunk was seen').to.equal(true);
      return result;
    };
    for (const [name, value] of Object.entries(globals)) {
      const inner = work;
      work = () => test.withGlobal(name, value, inner);
    }
    const migrated = work();
    migrated.catch(() => undefined);
    return { migrated, written: () => written };
  }
}

interface Written {
  readonly definition: string;
  readonly rows: readonly unknown[];
}

async function stateOf(test: TestTable): Promise<Written> {
  return { definition: withoutCounter(await test.definition()), rows: await test.rows() };
}

async function write(client: Client, one: string | readonly string[]): Promise<void> {
  if (typeof one === 'string') {
    await client.query(one);
    return;
  }
  await client.query('START TRANSACTION');
  for (const sql of one) await client.query(sql);
  await client.query('COMMIT');
}

/** The result is what a native ALTER makes of the table as it was at the swap: definition and every row. */
export function right(
  title: string,
  situation: Situation,
  more?: (test: TestTable, result: MigrationResult) => Promise<void>,
  only?: Flavor,
): Corruption {
  return {
    ...{ title: `${title}: right`, ...(only && { only }) },
    run: async (stage) => {
      const { migrated } = await stage.play(situation);
      const result = await migrated;
      const { test } = stage;
      expect(result.verified.notCompared).to.equal(0);
      expect(result.changesApplied).to.be.at.least((situation.writes ?? []).length === 0 ? 0 : 1);
      await makeNativeTwin(test, result.oldTable!, situation.alter);
      expect(await shapeOf(test, 'emails')).to.equal(await shapeOf(test, 'native'));
      const rows = await contentsOf(test, 'emails');
      expect(rows).to.deep.equal(await contentsOf(test, 'native'));
      expect(rows).not.to.deep.equal([]);
      await more?.(test, result);
      await expectNoLeaks(test);
    },
  };
}

/** The migration fails with the code, and the table is as the application has left it. */
export function refused(
  title: string,
  code: string,
  situation: Situation,
  more?: (error: LargeHadronError) => void,
): Corruption {
  return {
    title: `${title}: refused with ${code}`,
    run: async (stage) => {
      const { migrated, written } = await stage.play(situation);
      const error = await failureOf(migrated);
      const { test } = stage;
      const told = `${error.code}, ${error.outcome}: ${error.message}`;
      expect(error.code, told).to.equal(code);
      expect(['untouched', 'rolled-back'], told).to.include(error.outcome);
      expect(error.leftovers).to.deep.equal([]);
      const state = await stateOf(test);
      expect(state.rows).to.have.length.above(0);
      expect(state).to.deep.equal(written());
      more?.(error);
      await expectNoLeaks(test);
    },
  };
}
