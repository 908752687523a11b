import { expect } from 'chai';

import { largeHadronCleanUp, planLargeHadronMigration } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { atomicStrategiesOf } from '../support/strategies';
import type { Feature } from '../support/features/feature';
import { itComesOutAsNative } from '../support/features/it-comes-out-as-native';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type Flavor, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';
import { ChildMigration } from '../support/test-table-process';
import { intercept } from '../support/test-table-statements';

const row = (i: number): Record<string, string> => ({ a: String(i % 9), code: String(i * 3), v: `'v${i}'` });
const REST = 'a INT NOT NULL, code INT NOT NULL, v VARCHAR(20) NOT NULL';
const COLUMNS = `id INT NOT NULL PRIMARY KEY, ${REST}`;

/** Two rows of every turn take each other's code. */
const swapCodes = (turn: number): string[] => {
  const [one, other] = [(501 + turn) * 3, (3000 + turn) * 3];
  return [
    `UPDATE ! SET code = -1 WHERE code = ${one}`,
    `UPDATE ! SET code = ${one} WHERE code = ${other}`,
    `UPDATE ! SET code = ${other} WHERE code = -1`,
  ];
};

const KEYS: readonly Feature[] = [
  {
    what: 'a primary key that gets one more column',
    columns: COLUMNS,
    row,
    alter: 'DROP PRIMARY KEY, ADD PRIMARY KEY (id, a)',
  },
  {
    what: 'a primary key whose columns change places',
    columns: `id INT NOT NULL, ${REST}, PRIMARY KEY (a, id)`,
    row,
    alter: 'DROP PRIMARY KEY, ADD PRIMARY KEY (id, a)',
  },
  {
    what: 'a primary key that loses a column',
    columns: `id INT NOT NULL, ${REST}, PRIMARY KEY (a, id)`,
    row,
    alter: 'DROP PRIMARY KEY, ADD PRIMARY KEY (id)',
    after: ["INSERT INTO ! VALUES (9000, 1, 2, 'x')"],
  },
  {
    what: 'a primary key over another column, whose values move between rows',
    columns: `${COLUMNS}, UNIQUE KEY by_code (code)`,
    row,
    more: swapCodes,
    alter: 'DROP PRIMARY KEY, DROP INDEX by_code, ADD PRIMARY KEY (code)',
  },
  {
    what: 'a primary key that is dropped',
    columns: COLUMNS,
    row,
    alter: 'DROP PRIMARY KEY',
    after: ["INSERT INTO ! VALUES (1, 1, 2, 'twice'), (1, 1, 2, 'twice')", 'DELETE FROM ! WHERE id = 7'],
  },
  {
    what: 'a primary key that is dropped, and whose column may be NULL from then on',
    columns: COLUMNS,
    row,
    alter: 'DROP PRIMARY KEY, MODIFY id BIGINT NULL',
    after: ["INSERT INTO ! VALUES (NULL, 1, 2, 'none')"],
  },
  {
    what: 'a primary key that is dropped, and its column renamed',
    columns: `${COLUMNS}, UNIQUE KEY by_code (code)`,
    row,
    more: swapCodes,
    alter: 'DROP PRIMARY KEY, CHANGE id number BIGINT NOT NULL, ADD PRIMARY KEY (code), DROP INDEX by_code',
    unlast: true,
  },
  {
    what: 'a primary key with parts that go down, which is dropped',
    columns: `id INT NOT NULL, ${REST}, PRIMARY KEY (a DESC, id)`,
    row,
    alter: 'DROP PRIMARY KEY, ADD INDEX (id, a)',
  },
  {
    what: 'a primary key of text, which is dropped',
    columns: `id INT NOT NULL, t VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, ${REST}, PRIMARY KEY (t), KEY by_id (id)`,
    row: (i) => ({ ...row(i), t: `'${i % 2 ? 'É' : 'e'} ${i} '` }),
    alter: 'DROP PRIMARY KEY, DROP INDEX by_id',
  },
  {
    what: 'a primary key that is dropped where there are partitions, words and the name of ours',
    columns: `${COLUMNS}, KEY hadron_key (a), FULLTEXT KEY words (v)`,
    row,
    alter: 'DROP PRIMARY KEY',
  },
  {
    what: 'a primary key that is dropped, in partitions',
    columns: COLUMNS,
    options: 'ENGINE = InnoDB PARTITION BY HASH (id) PARTITIONS 3',
    row,
    alter: 'DROP PRIMARY KEY',
  },
  {
    what: 'a primary key that is added, in place of a unique one',
    columns: `id INT NOT NULL, ${REST}, UNIQUE KEY by_id (id)`,
    row,
    alter: 'ADD PRIMARY KEY (id), DROP INDEX by_id',
  },
  {
    what: 'a primary key that is added, over a new column which numbers the rows',
    columns: `id INT NOT NULL, ${REST}, UNIQUE KEY by_id (id)`,
    row,
    alter: 'ADD COLUMN pk INT NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST',
    ...{ anew: ['pk'], numbered: true },
  },
  {
    what: 'a primary key that changes places with a unique one',
    columns: `${COLUMNS}, UNIQUE KEY by_code (code)`,
    row,
    more: swapCodes,
    alter: 'DROP PRIMARY KEY, DROP INDEX by_code, ADD PRIMARY KEY (code), ADD UNIQUE KEY by_id (id)',
  },
  {
    what: 'a primary key that changes places with a unique one which counts',
    columns: `id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, ${REST}, UNIQUE KEY by_code (code)`,
    row,
    more: swapCodes,
    counter: true,
    alter: 'DROP PRIMARY KEY, DROP INDEX by_code, ADD PRIMARY KEY (code), ADD UNIQUE KEY by_id (id)',
    after: ["INSERT INTO ! (a, code, v) VALUES (1, 90000, 'next')"],
  },
  {
    what: 'a unique key, the only key there is, that becomes an ordinary one',
    columns: `id INT NOT NULL, ${REST}, UNIQUE KEY by_id (id)`,
    row,
    alter: 'DROP INDEX by_id, ADD INDEX by_id (id)',
    after: ["INSERT INTO ! VALUES (1, 1, 2, 'twice'), (1, 1, 2, 'twice')"],
  },
  {
    what: 'a unique key that is added over values which move between rows',
    columns: COLUMNS,
    row,
    more: swapCodes,
    alter: 'ADD UNIQUE KEY by_code (code)',
  },
  {
    what: 'a primary key of UUIDs in place of numbers',
    columns: `${COLUMNS}, u BINARY(16) NOT NULL`,
    row: (i) => ({ ...row(i), u: `X'${String(i).padStart(32, '0')}'` }),
    alter: 'DROP PRIMARY KEY, ADD PRIMARY KEY (u)',
  },
];

const withStrategy = (flavor: Flavor): Feature[] =>
  atomicStrategiesOf(flavor).map((strategy) => ({
    what: `a primary key that is dropped, swapped by ${strategy}`,
    columns: COLUMNS,
    row,
    alter: 'DROP PRIMARY KEY, ADD INDEX (code)',
    migration: { cutOver: { strategy } },
  }));

for (const { flavor, mode, on, every, once, itOnce } of serversAndModes()) {
  describe(`keys that change on ${on}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    itOnce('a plan says that an index is needed for the time', async () => {
      const test = await TestTable.create(server, { columns: COLUMNS });
      try {
        const plan = await planLargeHadronMigration('emails', { knex: test.knex }, 'DROP PRIMARY KEY');
        expect(plan.problems).to.deep.equal([]);
        expect(plan.chunkKey).to.deep.equal({ index: 'PRIMARY', columns: ['id'] });
        expect(plan.text).to.match(/begins with \(id\).*hadron_key/);
        await expectNoLeaks(test);
      } finally {
        await test.drop();
      }
    });

    itComesOutAsNative(flavor, () => server, [...every(3, KEYS), ...once(withStrategy(flavor))]);

    for (const strategy of once(atomicStrategiesOf(flavor))) {
      it(`an attempt that is given up keeps the index by which rows are found (${strategy})`, async () => {
        const test = await TestTable.create(server, { columns: COLUMNS });
        try {
          await test.query("INSERT INTO emails VALUES (1, 1, 1, 'a'), (2, 2, 2, 'b')");
          const late = intercept(test.knex, {
            ...{ match: /^RENAME TABLE/, when: 'before' },
            rewrite: () => "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205",
            run: () => undefined,
          });
          const again = intercept(test.knex, {
            ...{ match: /^LOCK TABLES .*_lhmn/, when: 'before', skip: 1 },
            run: () => test.query("UPDATE emails SET v = 'changed' WHERE id = 2").then(() => undefined),
          });
          const { cutOver } = await test.migrate('DROP PRIMARY KEY', { cutOver: { strategy, backoffMs: 1 } });
          expect([late.happened, again.happened, cutOver.attempts]).to.deep.equal([true, true, 2]);
          expect((await test.rows()).map(({ v }) => v)).to.deep.equal(['a', 'changed']);
          expect(await test.definition()).not.to.contain('KEY');
          await expectNoLeaks(test);
        } finally {
          await test.drop();
        }
      });

      it(`an index that a killed process left is gone after the clean-up (${strategy})`, async () => {
        const test = await TestTable.create(server, { columns: COLUMNS });
        try {
          await test.query("INSERT INTO emails VALUES (1, 1, 1, 'a'), (2, 2, 2, 'b')");
          const child = ChildMigration.start(test, {
            alter: 'DROP PRIMARY KEY',
            options: { cutOver: { strategy } },
            stop: { statement: 'DROP INDEX `hadron_key`', when: 'before' },
          });
          await child.reached();
          await child.kill();
          await largeHadronCleanUp('emails', { knex: test.knex });
          expect(await test.definition()).not.to.contain('KEY');
          expect((await test.rows()).map(({ v }) => v)).to.deep.equal(['a', 'b']);
          await expectNoLeaks(test);
        } finally {
          await test.drop();
        }
      });

      it(`an index that could not be dropped right away is gone in the end (${strategy})`, async () => {
        const test = await TestTable.create(server, { columns: COLUMNS });
        try {
          await test.query("INSERT INTO emails VALUES (1, 1, 1, 'a'), (2, 2, 2, 'b')");
          const broken = intercept(test.knex, {
            ...{ match: /DROP INDEX `hadron_key`/, when: 'before' },
            rewrite: () => "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'",
            run: () => undefined,
          });
          const migrated = test.migrate('DROP PRIMARY KEY', { cutOver: { strategy } });
          if (strategy === 'rename-under-lock') {
            // It is tried once more when the lock is gone.
            await migrated;
          } else {
            const error = await failureOf(migrated);
            expect(error, error.message).to.include({ outcome: 'swapped' });
          }
          expect(broken.happened).to.equal(true);
          expect(await test.definition()).not.to.contain('KEY');
        } finally {
          await test.drop();
        }
      });
    }
  });
}
