import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { itRefuses, type BadInput } from '../support/test-table-refusal';

const unusable = (what: string, columns: string, says: RegExp): BadInput => ({
  ...{ what, code: 'LHM_NO_USABLE_KEY', table: { columns }, says, hints: /primary key/i },
});

/** Tables whose only unique key does not name a row exactly, or cannot be walked. */
const UNUSABLE: readonly BadInput[] = [
  unusable('of DOUBLE', 'a DOUBLE NOT NULL PRIMARY KEY, b INT', /PRIMARY.*double.*exact order/),
  unusable('of FLOAT behind an INT', 'a INT, b FLOAT, PRIMARY KEY (a, b)', /PRIMARY.*float/),
  unusable('of SET', "a SET('x','y') NOT NULL PRIMARY KEY, b INT", /PRIMARY.*set\('x','y'\)/),
  unusable(
    'with a part that may be NULL',
    'a INT NOT NULL, b INT NULL, UNIQUE KEY both_unique (a, b)',
    /both_unique.*'b' may be NULL/,
  ),
  unusable(
    'with a part that is a prefix',
    'a INT NOT NULL, b VARCHAR(20) NOT NULL, PRIMARY KEY (a, b(5))',
    /PRIMARY.*prefix of 'b'/,
  ),
  unusable(
    'with a generated column',
    'a INT NOT NULL, g INT AS (a % 10) STORED, UNIQUE KEY by_g (a, g)',
    /by_g.*'g' (is generated|may be NULL)/,
  ),
  {
    ...unusable(
      'over an expression',
      'a INT NOT NULL, UNIQUE KEY by_expression ((a + 1))',
      /by_expression.*expression/,
    ),
    only: 'mysql',
  },
  {
    ...unusable(
      'that is invisible',
      'f FLOAT NOT NULL PRIMARY KEY, a INT NOT NULL, UNIQUE KEY by_a (a) INVISIBLE',
      /by_a.*invisible/,
    ),
    only: 'mysql',
  },
  {
    ...unusable(
      'that is ignored',
      'f FLOAT NOT NULL PRIMARY KEY, a INT NOT NULL, UNIQUE KEY by_a (a) IGNORED',
      /by_a.*invisible/,
    ),
    only: 'mariadb',
  },
  {
    ...unusable(
      'of hashes',
      'a TEXT NOT NULL, UNIQUE KEY by_a (a), b INT',
      /by_a.*(HASH|generated|hidden|NULL)/,
    ),
    only: 'mariadb',
  },
];

for (const { flavor, mode, on, once } of serversAndModes()) {
  describe(`odd keys on ${on}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    describe('a table is refused whose only unique key is one', () => {
      itRefuses(flavor, () => server, once(UNUSABLE));
    });

    for (const [what, columns, keys] of [
      ['alone', "id ENUM('b','a','c') NOT NULL PRIMARY KEY, n INT NOT NULL DEFAULT 0", ['id']],
      [
        'before a number',
        "id ENUM('b','a','c') NOT NULL, k INT NOT NULL, n INT NOT NULL DEFAULT 0, PRIMARY KEY (id, k)",
        ['id', 'k'],
      ],
    ] as const) {
      it(`an ENUM that holds what is none of its members (number 0), ${what}, is walked and written to`, async () => {
        const test = await TestTable.create(server, { columns });
        try {
          const values = (member: string): string =>
            keys.map((key) => (key === 'id' ? member : '7')).join(', ');
          await test.query("SET SESSION sql_mode = ''");
          for (const member of ["'no member'", "'a'", "'c'"]) {
            await test.query(`INSERT INTO emails (${keys.join(', ')}) VALUES (${values(member)})`);
          }
          const { oldTable } = await test.migrate('ADD COLUMN x INT', {
            ...{ chunk: { rows: 1 }, verify: { rows: 1 } },
            hooks: {
              beforeRowCopy: () => test.query('UPDATE emails SET n = n + 1').then(() => undefined),
              afterRowCopy: async () => {
                await test.query("UPDATE emails SET id = 'b' WHERE id = 'a'");
                await test.query('UPDATE emails SET n = n + 2');
              },
              beforeCutOver: async () => {
                await test.query('UPDATE emails SET n = n + 4 WHERE id = 0');
                await test.query("UPDATE emails SET id = 'nothing either' WHERE id = 'a'");
              },
            },
          });
          const rows = await test.rows();
          expect(rows.map(({ id, n }) => [id, n])).to.deep.equal([
            ['', 7],
            ['b', 3],
            ['c', 3],
          ]);
          expect(without(rows, 'x')).to.deep.equal(await test.rows(oldTable!));
          await expectNoLeaks(test);
        } finally {
          await test.drop();
        }
      });
    }
  });
}
