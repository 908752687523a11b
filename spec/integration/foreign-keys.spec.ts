import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { quote, TestTable } from '../support/test-table';

/** One layout of tables around the one that is migrated. */
interface Layout {
  readonly what: string;
  readonly columns: string;
  /** SQL before the table is filled. */
  readonly around: readonly string[];
  readonly fill: readonly string[];
  readonly alter?: string;
  /** What must still fail afterwards, and with which error. */
  readonly fails?: readonly (readonly [sql: string, errno: number])[];
  readonly only?: 'mysql' | 'mariadb';
}

const ORGS = 'CREATE TABLE orgs (id INT PRIMARY KEY, name VARCHAR(20) NULL)';
const FILL_ORGS = "INSERT INTO orgs VALUES (1, 'a'), (2, 'b'), (3, 'c')";

const LAYOUTS: readonly Layout[] = [
  {
    what: 'the parent of another table',
    columns: 'id INT PRIMARY KEY, v INT NULL',
    around: [
      'CREATE TABLE notes (id INT PRIMARY KEY, email INT, CONSTRAINT notes_email FOREIGN KEY (email) REFERENCES emails (id) ON DELETE CASCADE)',
      'CREATE TABLE tags (id INT PRIMARY KEY, email INT, FOREIGN KEY (email) REFERENCES emails (id))',
    ],
    fill: [
      'INSERT INTO emails (id, v) VALUES (1, 1), (2, 2), (3, 3)',
      'INSERT INTO notes VALUES (1, 1), (2, 2)',
      'INSERT INTO tags VALUES (1, 3)',
    ],
    fails: [
      ['INSERT INTO notes VALUES (9, 99)', 1452],
      ['INSERT INTO tags VALUES (9, 99)', 1452],
      ['DELETE FROM emails WHERE id = 3', 1451],
    ],
  },
  {
    what: 'the child of another table that takes no rows away',
    columns:
      'id INT PRIMARY KEY, org INT NULL, v INT NULL, CONSTRAINT emails_org FOREIGN KEY (org) REFERENCES orgs (id)',
    around: [ORGS],
    fill: [FILL_ORGS, 'INSERT INTO emails (id, org) VALUES (1, 1), (2, 2), (3, NULL)'],
    fails: [
      ['INSERT INTO emails (id, org) VALUES (9, 99)', 1452],
      ['DELETE FROM orgs WHERE id = 1', 1451],
    ],
  },
  {
    what: 'the child of a table that cascades to it',
    columns:
      'id INT PRIMARY KEY, org INT NULL, v INT NULL, FOREIGN KEY (org) REFERENCES orgs (id) ON DELETE CASCADE ON UPDATE CASCADE',
    around: [ORGS],
    fill: [FILL_ORGS, 'INSERT INTO emails (id, org) VALUES (1, 1), (2, 2), (3, NULL)'],
    fails: [['INSERT INTO emails (id, org) VALUES (9, 99)', 1452]],
  },
];

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`foreign keys on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    afterEach(() => test.drop());

    async function create({ columns, around, fill }: Layout): Promise<void> {
      test = await TestTable.create(server, { columns: 'id INT PRIMARY KEY' });
      await test.query('DROP TABLE emails');
      const referencing = around.filter((sql) => /REFERENCES emails/.test(sql));
      for (const sql of around) if (!referencing.includes(sql)) await test.query(sql);
      await test.query(`CREATE TABLE emails (${columns}) ENGINE = InnoDB`);
      for (const sql of referencing) await test.query(sql);
      for (const sql of fill) await test.query(sql);
    }

    /** Definitions and rows of every table that is not one of ours. */
    async function picture(): Promise<Record<string, unknown>> {
      const tables: Record<string, unknown> = {};
      for (const table of await test.tables()) {
        if (/_lhm[a-z]/.test(table)) continue;
        tables[table] = {
          definition: (await test.definition(table)).split('\n'),
          rows: await test.rows(table),
        };
      }
      return tables;
    }

    for (const layout of LAYOUTS) {
      if (layout.only !== undefined && layout.only !== flavor) continue;
      it(`${layout.what}: as after a native ALTER`, async () => {
        const alter = layout.alter ?? 'ADD COLUMN extra INT NOT NULL DEFAULT 7';
        await create(layout);
        await test.query(`ALTER TABLE emails ${alter}`);
        const native = await picture();
        await test.drop();

        await create(layout);
        await test.migrate(alter);
        expect(await picture()).to.deep.equal(native);
        for (const [sql, errno] of layout.fails ?? []) {
          const error: unknown = await test.query(sql).then(
            () => null,
            (reason: unknown) => reason,
          );
          expect(error, sql).to.include({ errno });
        }
        const [old] = await oldTables(test);
        expect(await test.definition(old)).not.to.contain('REFERENCES');
        await test.query(`DROP TABLE ${quote(old!)}`);
        await expectNoLeaks(test);
      });
    }

    it('parents of the same name in another schema, one that cascades and one that the change adds', async () => {
      await create({ what: '', columns: 'id INT PRIMARY KEY', around: [], fill: [] });
      const other = `${test.database}_other`;
      try {
        for (const sql of [
          `CREATE DATABASE ${quote(other)}`,
          `CREATE TABLE ${quote(other)}.emails (id INT PRIMARY KEY)`,
          `INSERT INTO ${quote(other)}.emails VALUES (1), (2), (3)`,
          'DROP TABLE emails',
          'CREATE TABLE emails (id INT PRIMARY KEY, org INT NULL, owner INT NULL, CONSTRAINT e_org' +
            ` FOREIGN KEY (org) REFERENCES ${quote(other)}.emails (id) ON DELETE CASCADE) ENGINE = InnoDB`,
          // Where a child keeps rows of the table, those that are left behind by a cascade are looked for.
          'CREATE TABLE notes (id INT PRIMARY KEY, email INT, FOREIGN KEY (email) REFERENCES emails (id)) ENGINE = InnoDB',
          'INSERT INTO emails VALUES (1, 1, 1), (2, 2, 2), (3, NULL, 3)',
          'INSERT INTO notes VALUES (1, 1)',
        ])
          await test.query(sql);
        await test.migrate(
          `ADD CONSTRAINT e_owner FOREIGN KEY (owner) REFERENCES ${quote(other)}.emails (id)`,
        );
        const definition = await test.definition();
        for (const key of ['e_org', 'e_owner']) expect(definition).to.contain(key);
        await test.query(`DELETE FROM emails WHERE id = 3`);
        await test.query(`DELETE FROM ${quote(other)}.emails WHERE id = 3`);
        expect((await test.rows()).map(({ id }) => id)).to.deep.equal([1, 2]);
        await expectNoLeaks(test);
      } finally {
        await test.query('SET foreign_key_checks = 0');
        await test.query(`DROP DATABASE IF EXISTS ${quote(other)}`);
        await test.query('SET foreign_key_checks = 1');
      }
    });
  });
}
