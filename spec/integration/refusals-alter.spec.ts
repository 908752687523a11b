import { expect } from 'chai';
import type { Knex } from 'knex';

import type { AlterFunction } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { expectRefused, itRefuses, type BadInput, type Refused } from '../support/test-table-refusal';

/** The same mistake, made in each of the three ways to give an ALTER. */
function inAllWays(
  what: string,
  expected: Refused,
  ways: {
    readonly builder?: (t: Knex.AlterTableBuilder) => void;
    /** Clauses of an ALTER TABLE, for the string, and for ctx.raw on the ghost and on the table's own name. */
    readonly clauses?: string;
    /** A whole statement. */
    readonly statement?: string;
  },
  more: Partial<BadInput> = {},
): BadInput[] {
  const { builder, clauses, statement } = ways;
  const made = (how: string, alter: AlterFunction | string): BadInput => ({
    ...{ phase: 'clone' as const, ...expected, ...more },
    what: `${what} (${how})`,
    alter,
  });
  const inputs: BadInput[] = [];
  if (builder !== undefined) inputs.push(made('builder', builder));
  if (clauses !== undefined) {
    inputs.push(
      made('ctx.raw on the ghost', async (_, ctx) => {
        await ctx.raw(`ALTER TABLE ?? ${clauses}`, [ctx.ghostTable]);
      }),
      made('ctx.raw on the table, not awaited', (_, ctx) => {
        void ctx.raw(`ALTER TABLE emails ${clauses}`);
      }),
      made('string', clauses),
    );
  }
  if (statement !== undefined) {
    inputs.push(
      made('statement by ctx.raw', async (_, ctx) => {
        await ctx.raw(statement);
      }),
      made('statement as string', statement),
    );
  }
  return inputs;
}

const OWNERS = ['CREATE TABLE owners (id INT PRIMARY KEY)', 'INSERT INTO owners VALUES (1)'];

const FAILING = [
  ...inAllWays(
    'an unknown column',
    { code: 'LHM_ALTER_FAILED', says: /nope/ },
    { builder: (t) => t.dropColumn('nope'), clauses: 'DROP COLUMN nope' },
  ),
  ...inAllWays(
    'a syntax error',
    { code: 'LHM_ALTER_FAILED', says: /syntax/i },
    { builder: (t) => void t.specificType('extra', 'INT INT'), clauses: 'ADD COLUMN extra INT INT' },
  ),
  ...inAllWays(
    'a column that is there already',
    { code: 'LHM_ALTER_FAILED', says: /size/ },
    { builder: (t) => void t.integer('size'), clauses: 'ADD COLUMN size INT' },
  ),
  ...inAllWays(
    'a rename of an unknown column',
    // Knex stumbles over it before the server does, and does not name it.
    { code: 'LHM_ALTER_FAILED', says: /nope|Knex/ },
    { builder: (t) => void t.renameColumn('nope', 'else'), clauses: 'RENAME COLUMN nope TO els' },
  ),
  ...inAllWays(
    'a second statement that fails when the first has changed the ghost',
    { code: 'LHM_ALTER_FAILED', says: /nope/ },
    {
      builder: (t) => {
        t.integer('extra');
        t.dropIndex(['nope']);
      },
    },
  ),
];

const NOTHING = [
  ...inAllWays(
    'the same definition again',
    { code: 'LHM_ALTER_CHANGES_NOTHING', hints: /done|FORCE/ },
    {
      builder: (t) => void t.integer('size').notNullable().defaultTo(0).alter(),
      clauses: 'MODIFY size INT NOT NULL DEFAULT 0',
    },
  ),
  ...inAllWays(
    'only ALGORITHM and LOCK',
    { code: 'LHM_ALTER_CHANGES_NOTHING' },
    { clauses: 'ALGORITHM = INPLACE, LOCK = NONE' },
  ),
  {
    what: 'an empty function',
    code: 'LHM_ALTER_CHANGES_NOTHING',
    phase: 'clone' as const,
    alter: () => undefined,
  },
  ...['', '  \n'].map((alter) => ({
    what: `a string of ${alter.length} blanks`,
    code: 'LHM_BAD_ALTER',
    phase: 'plan' as const,
    alter,
    hints: /ADD COLUMN/,
  })),
  ...[undefined, null, 7, {}].map((alter: unknown) => ({
    what: `${String(alter)} instead of an alter function`,
    code: 'LHM_BAD_ALTER',
    phase: 'plan' as const,
    alter: alter as string,
  })),
];

const OTHER = [
  ...inAllWays(
    'a rename of the table',
    { code: 'LHM_ALTER_RENAMES_TABLE', hints: /after the migration/ },
    { clauses: 'ADD COLUMN extra INT, RENAME TO letters', statement: 'RENAME TABLE emails TO letters' },
  ),
  ...inAllWays('a rename with AS', { code: 'LHM_ALTER_RENAMES_TABLE' }, { clauses: 'RENAME AS letters' }),
  ...inAllWays('a rename without a word', { code: 'LHM_ALTER_RENAMES_TABLE' }, { clauses: 'RENAME letters' }),
  ...inAllWays(
    'an ALTER of another table',
    { code: 'LHM_ALTER_OTHER_TABLE', says: /owners/ },
    { statement: 'ALTER TABLE owners ADD COLUMN extra INT' },
    { before: OWNERS },
  ),
  ...inAllWays(
    'an index on another table',
    { code: 'LHM_ALTER_OTHER_TABLE', says: /owners/ },
    { statement: 'CREATE INDEX owners_id ON owners (id)' },
    { before: OWNERS },
  ),
  ...inAllWays(
    'the table of the same name in another schema',
    { code: 'LHM_ALTER_OTHER_TABLE' },
    { statement: 'ALTER TABLE lhm_elsewhere.emails ADD COLUMN extra INT' },
  ),
  ...[
    "UPDATE emails SET note = 'changed'",
    'DELETE FROM emails',
    "INSERT INTO emails (address) VALUES ('new')",
    "REPLACE INTO emails (id, address) VALUES (1, 'new')",
    'TRUNCATE TABLE emails',
    'DROP TABLE emails',
    'CREATE TABLE letters (id INT PRIMARY KEY)',
    'CREATE TRIGGER audit BEFORE INSERT ON emails FOR EACH ROW SET NEW.size = 1',
  ].flatMap((statement) =>
    inAllWays(
      statement.split(' ', 2).join(' '),
      { code: 'LHM_ALTER_UNSUPPORTED', says: new RegExp(statement.split(' ', 1).join('')) },
      { statement },
    ),
  ),
  ...inAllWays(
    'two statements in one',
    { code: 'LHM_ALTER_UNSUPPORTED', says: /several statements/ },
    { clauses: 'ADD COLUMN extra INT; DROP TABLE emails' },
  ),
];

const KEYS = [
  ...inAllWays(
    'dropping the key',
    { code: 'LHM_NO_USABLE_KEY', says: /PRIMARY.*drops 'id'/, hints: /second/ },
    {
      builder: (t) => void t.dropColumn('id'),
      clauses: 'DROP COLUMN id, ADD COLUMN new_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY',
    },
  ),
  ...inAllWays(
    'converting the key',
    { code: 'LHM_NO_USABLE_KEY', says: /converts 'id'.*varchar/ },
    { builder: (t) => void t.string('id', 20).alter(), clauses: 'MODIFY id VARCHAR(20) NOT NULL' },
  ),
];

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`refusals of alter functions on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    describe('that fail', () => itRefuses(flavor, () => server, every(4, FAILING)));
    describe('that change nothing', () => itRefuses(flavor, () => server, every(4, NOTHING)));
    describe('that do something else', () => itRefuses(flavor, () => server, every(4, OTHER)));
    describe('that take the key away', () => itRefuses(flavor, () => server, every(4, KEYS)));

    it('whose renamed column somebody else drops on the way', async () => {
      const test = await TestTable.create(server);
      const expected = {
        ...{ code: 'LHM_ALTER_NOT_UNDERSTOOD', phase: 'clone' as const },
        ...{ says: /'size' should have become 'bytes'/, hints: /renamed: \{ old: new \}/ },
      };
      await expectRefused(test, expected, () =>
        test.failure(async (_, ctx) => {
          await ctx.raw('ALTER TABLE emails RENAME COLUMN size TO bytes');
          await test.query('ALTER TABLE emails_lhmn DROP COLUMN bytes');
        }),
      );
      await test.drop();
    });

    it("passes on what the function itself throws as the error's cause", async () => {
      const test = await TestTable.create(server);
      const cause = new Error('a mistake in the function');
      const expected = { code: 'LHM_FAILED', phase: 'clone' as const, says: /a mistake in the function/ };
      const error = await expectRefused(test, expected, () =>
        test.failure((t) => {
          t.integer('extra');
          throw cause;
        }),
      );
      expect(error.cause).to.equal(cause);
      await test.drop();
    });

    it('waits for the statements of a function that rejects', async () => {
      const test = await TestTable.create(server);
      await expectRefused(test, { code: 'LHM_FAILED', phase: 'clone', says: /too early/ }, () =>
        test.failure((_, ctx) => {
          void ctx.raw('ALTER TABLE emails ADD COLUMN extra INT');
          return Promise.reject(new Error('too early'));
        }),
      );
      await test.drop();
    });
  });
}
