import { expect } from 'chai';

import type { AlterFunction } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, type Options } from '../support/test-table';
import { intercept } from '../support/test-table-statements';

const SETUP = [
  'CREATE TABLE orgs (id INT PRIMARY KEY, name VARCHAR(20) NULL)',
  'CREATE TABLE people (id INT PRIMARY KEY)',
  'CREATE TABLE emails (id INT PRIMARY KEY, org INT NULL, owner INT NULL, above INT NULL, size INT NULL,' +
    ' KEY emails_owner (owner), KEY emails_org (org),' +
    ' CONSTRAINT emails_org_foreign FOREIGN KEY (org) REFERENCES orgs (id) ON DELETE CASCADE,' +
    ' FOREIGN KEY (above) REFERENCES emails (id))',
  'CREATE TABLE notes (id INT PRIMARY KEY, email INT NULL, CONSTRAINT notes_email FOREIGN KEY (email) REFERENCES emails (id))',
  "INSERT INTO orgs VALUES (1, 'a'), (2, 'b')",
  'INSERT INTO people VALUES (1), (2)',
  'INSERT INTO emails (id, org, owner, above) VALUES (1, 1, 1, NULL), (2, 2, 2, 1), (3, NULL, NULL, 2)',
  'INSERT INTO notes VALUES (1, 1), (2, NULL)',
];

/** Changes of keys, each made by a migration and by the server itself. */
const CHANGES: readonly (readonly [what: string, alter: string])[] = [
  ['a key is added', 'ADD CONSTRAINT emails_owner_foreign FOREIGN KEY (owner) REFERENCES people (id)'],
  ['a key without a name is added', 'ADD FOREIGN KEY (owner) REFERENCES people (id) ON DELETE SET NULL'],
  [
    'a column with a key is added',
    'ADD COLUMN reader INT NULL, ADD CONSTRAINT r FOREIGN KEY (reader) REFERENCES people (id)',
  ],
  ['a column with an inline key is added', 'ADD COLUMN reader INT NULL REFERENCES people (id)'],
  ['a reference to the table itself is added', 'ADD CONSTRAINT s FOREIGN KEY (owner) REFERENCES emails (id)'],
  ['a key that cascades is dropped', 'DROP FOREIGN KEY emails_org_foreign'],
  [
    'a key is dropped by the name of a constraint',
    'DROP CONSTRAINT emails_org_foreign, ADD COLUMN extra INT',
  ],
  ['a reference to the table itself is dropped', 'DROP FOREIGN KEY emails_ibfk_1'],
  [
    'a key that cascades is dropped with its index',
    'DROP FOREIGN KEY emails_org_foreign, DROP KEY emails_org',
  ],
  [
    'a key gets another rule and name',
    'DROP FOREIGN KEY emails_org_foreign, ADD CONSTRAINT other FOREIGN KEY (org) REFERENCES orgs (id)',
  ],
  ['a column of a key is renamed', 'CHANGE org organisation INT NULL'],
  ['what is referenced is renamed', 'CHANGE id number INT NOT NULL'],
  ['a column of a reference to the table itself is renamed', 'CHANGE above parent INT NULL'],
  ['other columns change', 'MODIFY size BIGINT NULL, ADD COLUMN extra INT'],
];

for (const { flavor, mode, on, every, once, itOnce } of serversAndModes()) {
  describe(`changes of foreign keys on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      await test.query('DROP TABLE emails');
      for (const sql of SETUP) await test.query(sql);
    });
    afterEach(() => test.drop());

    async function definitions(): Promise<Record<string, string[]>> {
      const found: Record<string, string[]> = {};
      for (const table of ['emails', 'notes', 'orgs', 'people'])
        found[table] = (await test.definition(table)).split('\n');
      return found;
    }

    async function again(): Promise<void> {
      await test.query('SET foreign_key_checks = 0');
      for (const table of await test.tables()) await test.query(`DROP TABLE \`${table}\``);
      await test.query('SET foreign_key_checks = 1');
      for (const sql of SETUP) await test.query(sql);
    }

    for (const [what, alter] of every(7, CHANGES)) {
      it(`${what}: as by a native ALTER`, async () => {
        await test.query(`ALTER TABLE emails ${alter}`);
        const native = await definitions();
        const rows = await test.rows();
        await again();
        await test.migrate(alter);
        expect(await definitions()).to.deep.equal(native);
        expect(await test.rows()).to.deep.equal(rows);
        await expectNoLeaks(test);
      });
    }

    const BUILDERS: readonly (readonly [what: string, alter: AlterFunction])[] = [
      ['adds one', (t) => void t.foreign('owner').references('people.id').onDelete('CASCADE')],
      ['adds a column with one', (t) => void t.integer('reader').references('id').inTable('people')],
      ['drops one', (t) => void t.dropForeign('org')],
      [
        'adds and drops',
        (t) => void (t.dropForeign(['org']), t.foreign('owner', 'mine').references('people.id')),
      ],
    ];
    for (const [what, alter] of once(BUILDERS)) {
      it(`Knex's builder ${what}: as knex.schema.alterTable would have`, async () => {
        await test.knex.schema.alterTable('emails', (t) => void alter.call(t, t, {} as never));
        const native = await definitions();
        await again();
        await test.migrate(alter);
        expect(await definitions()).to.deep.equal(native);
        await expectNoLeaks(test);
      });
    }

    async function expectUntouched(
      alter: string,
      options: Options,
      code: string,
      says: RegExp,
    ): Promise<void> {
      const before = await test.snapshot();
      const error = await test.failure(alter, options);
      expect(error.code, error.message).to.equal(code);
      expect(error.message).to.match(says);
      expect(error.outcome).to.match(/untouched|rolled-back/);
      expect(error.leftovers).to.deep.equal([]);
      expect(await test.snapshot()).to.deep.equal(before);
      await expectNoLeaks(test);
    }

    const ADDED = 'ADD CONSTRAINT o FOREIGN KEY (owner) REFERENCES people (id)';

    itOnce('rows without a parent under a key that is added: named, and nothing changed', async () => {
      await test.query('UPDATE emails SET owner = 77 WHERE id = 3');
      await expectUntouched(
        ADDED,
        {},
        'LHM_FOREIGN_KEY_ORPHANS',
        /'o' of emails \(owner\) to .*people \(id\): \(.*3\)/,
      );
    });

    itOnce('rows that lose their parent right before the lock: the same', async () => {
      const beforeCutOver = async (): Promise<void> => {
        await test.query('UPDATE emails SET owner = 77 WHERE id = 3');
      };
      const error = await test.failure(ADDED, { hooks: { beforeCutOver } });
      expect(error).to.include({
        code: 'LHM_FOREIGN_KEY_ORPHANS',
        outcome: 'rolled-back',
        phase: 'cut-over',
      });
      expect(error.leftovers).to.deep.equal([]);
      expect(await test.definition()).not.to.contain('people');
      await expectNoLeaks(test);
    });

    itOnce('rows that lose their parent under the very lock: the same', async () => {
      const { knex } = test;
      const lost = intercept(knex, {
        ...{ match: /^LOCK TABLES .*_lhmn/, when: 'before' },
        run: async () => {
          await test.query('DELETE FROM people WHERE id = 2');
        },
      });
      const error = await test.failure(ADDED, { knex });
      expect(lost.happened).to.equal(true);
      expect(error).to.include({
        code: 'LHM_FOREIGN_KEY_ORPHANS',
        outcome: 'rolled-back',
        phase: 'cut-over',
      });
      expect(await test.definition()).not.to.contain('people');
      await expectNoLeaks(test);
    });

    itOnce('rows that have had no parent all along stay as they are, as in a native ALTER', async () => {
      await test.query('SET foreign_key_checks = 0');
      await test.query('INSERT INTO emails (id, org, above) VALUES (10, 99, 98)');
      await test.query('INSERT INTO notes VALUES (10, 97)');
      await test.query('SET foreign_key_checks = 1');
      const rows = await test.rows();
      await test.migrate('ADD COLUMN extra INT NULL');
      expect((await test.rows()).map(({ id, org, above }) => ({ id, org, above }))).to.deep.equal(
        rows.map(({ id, org, above }) => ({ id, org, above })),
      );
      expect(await test.rows('notes')).to.have.length(3);
    });

    const REFUSED: readonly (readonly [what: string, alter: string, options: Options, says: RegExp])[] = [
      [
        'a column of a key that takes rows away is dropped',
        'DROP FOREIGN KEY emails_org_foreign, DROP COLUMN org',
        {},
        /cascade.*drops/,
      ],
      [
        'a column of such a key is filled anew',
        'ADD COLUMN extra INT',
        { columns: { values: { org: 'org' } } },
        /expression/,
      ],
      [
        'what a child references gets another type',
        'MODIFY id BIGINT NOT NULL',
        {},
        /notes.*type of its column 'id'/,
      ],
      [
        'what a child references is filled anew',
        'ADD COLUMN extra INT',
        { columns: { values: { id: 'id + 1' } } },
        /notes|key/,
      ],
      [
        "keys are not to be touched: foreignKeys 'refuse'",
        'ADD COLUMN extra INT',
        { foreignKeys: 'refuse' },
        /emails_org_foreign[^]*notes_email/,
      ],
    ];
    for (const [what, alter, options, says] of once(REFUSED)) {
      it(`${what}: refused`, async () => {
        const before = await test.snapshot();
        const error = await test.failure(alter, options);
        expect(error.code, error.message).to.match(
          /LHM_FOREIGN_KEYS|LHM_PREFLIGHT|LHM_ALTER_FAILED|LHM_NO_USABLE_KEY/,
        );
        expect(error.message).to.match(says);
        expect(error.outcome).to.equal('untouched');
        expect(await test.snapshot()).to.deep.equal(before);
        await expectNoLeaks(test);
      });
    }

    itOnce(
      "foreignKeys 'discard': the table's own are left out, the children's lead to the new table",
      async () => {
        await test.migrate('ADD COLUMN extra INT', { foreignKeys: 'discard' });
        const found = await definitions();
        expect(found['emails']!.join()).not.to.contain('REFERENCES');
        expect(found['notes']!.join()).to.contain(
          'CONSTRAINT `notes_email` FOREIGN KEY (`email`) REFERENCES `emails` (`id`)',
        );
        await expectNoLeaks(test);
      },
    );

    it('a child that is added meanwhile: nothing is swapped', async () => {
      const error = await test.failure('ADD COLUMN extra INT', {
        hooks: {
          beforeCutOver: () =>
            test
              .query(
                'CREATE TABLE late (id INT PRIMARY KEY, email INT, FOREIGN KEY (email) REFERENCES emails (id))',
              )
              .then(() => undefined),
        },
      });
      expect(error).to.include({ code: 'LHM_ORIGIN_CHANGED', outcome: 'rolled-back' });
      expect(error.message).to.contain('late');
      expect(await test.definition('late')).to.contain('REFERENCES `emails` (`id`)');
      await test.query('DROP TABLE late');
      await expectNoLeaks(test);
    });
  });
}
