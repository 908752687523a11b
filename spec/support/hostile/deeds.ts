import { expect } from 'chai';

import type { TestTable } from '../test-table';

/** The table's rows before anybody touched it, and how they are known again. */
export const ROWS = 30;

/** What somebody else does to the table's definition, and how its effect shows. */
export interface Deed {
  readonly what: string;
  /** Run before the migration. */
  readonly before?: readonly string[];
  readonly sql: readonly string[];
  readonly code: string | RegExp;
  /**
   * Throws when what was acknowledged is not there. `swapped`: the deed came after the swap, and so must have met the
   * new table; otherwise it met the original, which must have been left in place.
   */
  readonly holds: (test: TestTable, swapped: boolean) => Promise<void>;
  /** Whether it asks for the table at once, and not for the right to do so later: then nothing is served before it. */
  readonly exclusive?: boolean;
  /** Whether no table bears the name afterwards. */
  readonly gone?: boolean;
}

const has = async (test: TestTable, column: string, table = 'emails'): Promise<boolean> =>
  (await test.definition(table)).includes(`\`${column}\``);

const count = async (test: TestTable, table = 'emails'): Promise<number> =>
  (await test.query(`SELECT id FROM ${table}`)).length;

async function expectVersion(test: TestTable, swapped: boolean, table = 'emails'): Promise<void> {
  expect(await has(test, 'extra', table), `${table} has the new column`).to.equal(swapped);
}

/** By one statement each, so that it can wait for the table. */
export const STATEMENTS: readonly Deed[] = [
  {
    what: 'TRUNCATE',
    exclusive: true,
    sql: ['TRUNCATE TABLE emails'],
    code: 'LHM_ORIGIN_CHANGED',
    holds: async (test, swapped) => {
      await expectVersion(test, swapped);
      expect(await count(test), 'rows that were truncated').to.equal(0);
    },
  },
  {
    what: 'ALTER',
    sql: ['ALTER TABLE emails ADD COLUMN theirs INT'],
    code: 'LHM_ORIGIN_CHANGED',
    holds: async (test, swapped) => {
      await expectVersion(test, swapped);
      expect(await has(test, 'theirs'), 'their column').to.equal(true);
      expect(await count(test)).to.equal(ROWS);
    },
  },
  {
    what: 'DROP',
    exclusive: true,
    sql: ['DROP TABLE emails'],
    code: 'LHM_ORIGIN_CHANGED',
    gone: true,
    holds: async (test) => {
      expect(await test.tables()).not.to.include('emails');
    },
  },
  {
    what: 'RENAME to another name',
    exclusive: true,
    sql: ['RENAME TABLE emails TO letters'],
    code: 'LHM_ORIGIN_CHANGED',
    gone: true,
    holds: async (test, swapped) => {
      expect(await test.tables()).not.to.include('emails');
      await expectVersion(test, swapped, 'letters');
      expect(await count(test, 'letters')).to.equal(ROWS);
    },
  },
  {
    what: 'RENAME that puts another table in its place',
    exclusive: true,
    before: ['CREATE TABLE fresh LIKE emails', "INSERT INTO fresh (id, address) VALUES (7777, 'fresh')"],
    sql: ['RENAME TABLE emails TO letters, fresh TO emails'],
    code: /^LHM_(TRIGGERS|ORIGIN)_CHANGED$/,
    holds: async (test, swapped) => {
      await expectVersion(test, false);
      expect(await test.query('SELECT id FROM emails')).to.deep.equal([{ id: 7777 }]);
      await expectVersion(test, swapped, 'letters');
      expect(await count(test, 'letters')).to.equal(ROWS);
    },
  },
  {
    what: 'DROP TRIGGER',
    sql: ['DROP TRIGGER emails_lhmu'],
    code: 'LHM_TRIGGERS_CHANGED',
    holds: async (test, swapped) => {
      await expectVersion(test, swapped);
      expect(await count(test)).to.equal(ROWS);
    },
  },
];

const DROP_AND_ADD = [
  'ALTER TABLE emails DROP COLUMN note',
  'ALTER TABLE emails ADD COLUMN note VARCHAR(50) NULL',
];

const replaced = (verb: string, event: string, body: string): string =>
  `CREATE TRIGGER emails_lhm${verb} AFTER ${event} ON emails FOR EACH ROW ${body}`;

/** By several statements, after which the definition may be the same again. */
export const SEQUENCES: readonly Deed[] = [
  {
    what: 'a column dropped and added again, which empties it',
    sql: DROP_AND_ADD,
    code: 'LHM_ORIGIN_CHANGED',
    holds: async (test) => {
      await expectVersion(test, false);
      expect(await test.query('SELECT id FROM emails WHERE note IS NOT NULL')).to.deep.equal([]);
    },
  },
  {
    what: 'a column narrowed and widened again, which cuts its values',
    sql: [
      "UPDATE emails SET note = ''",
      'ALTER TABLE emails MODIFY note VARCHAR(1)',
      'ALTER TABLE emails MODIFY note VARCHAR(50) NULL',
    ],
    code: 'LHM_ORIGIN_CHANGED',
    holds: async (test) => {
      await expectVersion(test, false);
      expect(await test.query("SELECT id FROM emails WHERE note <> ''")).to.deep.equal([]);
    },
  },
  {
    what: 'TRUNCATE and the first and last row again',
    sql: [
      'CREATE TABLE edges AS SELECT * FROM emails WHERE id IN (1, 30)',
      'TRUNCATE TABLE emails',
      'INSERT INTO emails SELECT * FROM edges',
    ],
    code: 'LHM_ORIGIN_CHANGED',
    holds: async (test) => {
      await expectVersion(test, false);
      expect(await count(test)).to.equal(2);
    },
  },
  {
    what: 'every trigger dropped, a write, and a trigger that does nothing in the place of ours',
    sql: [
      ...['i', 'u', 'd'].map((verb) => `DROP TRIGGER emails_lhm${verb}`),
      "UPDATE emails SET note = 'unseen' WHERE id = 7",
      replaced('u', 'UPDATE', 'SET @nothing = 1'),
    ],
    code: 'LHM_TRIGGERS_CHANGED',
    holds: async (test) => {
      await expectVersion(test, false);
      const [row] = await test.query('SELECT note FROM emails WHERE id = 7');
      expect(row).to.deep.equal({ note: 'unseen' });
      await test.query('DROP TRIGGER emails_lhmu');
    },
  },
];
