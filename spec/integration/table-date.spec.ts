import { expect } from 'chai';

import type { Database } from '../../lib/database/database';
import { connectDatabase } from '../../lib/database/mysql-database';
import { readCreated } from '../../lib/guard/table-id';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';

const ROWS = 60;

/** Enough for some hundred dates that are not told. */
const READS = 24_000;

// MySQL has no UNIQUE key over text without a length.
for (const flavor of availableFlavors().filter((one) => one === 'mariadb')) {
  describe(`when a table was made, on ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let database: Database;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      database = await connectDatabase(test.knex);
    });
    afterEach(async () => {
      await database.close();
      await test.drop();
    });

    /** Again and again until `over`, whatever the server says: rows are locked, and keys taken. */
    async function loop(statements: (n: number) => string[], over: () => boolean): Promise<void> {
      const connection = await test.connect();
      for (let n = 0; !over(); n++) {
        for (const sql of statements(n)) await connection.query(sql).catch(() => undefined);
      }
    }

    const READ_BY_PURGE = {
      'a UNIQUE key over long text': 'UNIQUE KEY by_t (t)',
      'a virtual column with a key': 'v INT AS (a + 1) VIRTUAL, KEY by_v (v)',
    };

    /** What the server says itself. */
    async function told(): Promise<string | null | undefined> {
      const [row] = await test.query<{ created: string | null }>(
        "SELECT CREATE_TIME AS created FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'texts'",
        [test.database],
      );
      return row?.created;
    }

    /** Purge is the first to open the table again. */
    async function letPurgeOpen(): Promise<void> {
      const view = await test.connect();
      await view.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      await test.query("UPDATE texts SET t = CONCAT('-', t), a = a + 100");
      await test.query('FLUSH TABLES texts');
      await view.query('COMMIT');
      await until('the end of the purge', async () => {
        const [row] = await test.query<{ Value: string }>(
          "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'",
        );
        return Number(row?.Value) === 0 ? true : undefined;
      });
    }

    for (const [what, keys] of Object.entries(READ_BY_PURGE)) {
      it(`is told, also when purge has opened it because of ${what}`, async () => {
        await test.query(
          `CREATE TABLE texts (id INT PRIMARY KEY AUTO_INCREMENT, a INT NOT NULL, t TEXT NOT NULL, ${keys})`,
        );
        for (let a = 0; a < ROWS; a++)
          await test.query(`INSERT INTO texts (a, t) VALUES (${a}, CONCAT(REPEAT('long ', 1000), ${a}))`);
        const reader = await database.open('reader');
        const name = { schema: test.database, table: 'texts' };
        const first = await readCreated(reader, name);
        await letPurgeOpen();
        // For as long as nobody needs another instance of the table.
        for (let ask = 0; ask < 20; ask++) expect(await told()).to.equal(null);
        expect(await readCreated(reader, name))
          .to.equal(first)
          .and.match(/^\d{4}-/);

        const hooks = { beforeCutOver: letPurgeOpen };
        const migrated = await test.migrate(ADD_COLUMN, { hooks }, 'texts');
        expect(migrated.rowsCopied).to.equal(ROWS);
      });
    }

    it('is told each time, also while it has a UNIQUE key over long text and is opened anew', async () => {
      await test.query(
        'CREATE TABLE texts (id INT PRIMARY KEY AUTO_INCREMENT, a INT NOT NULL, t TEXT NOT NULL, UNIQUE KEY by_t (t))',
      );
      const long = "REPEAT('long ', 1000)";
      for (let a = 0; a < ROWS; a++)
        await test.query(`INSERT INTO texts (a, t) VALUES (${a}, CONCAT(${long}, ${a}))`);
      const reader = await database.open('reader');
      const told = new Set<string | null>();
      let over = false;
      const reading = async (): Promise<void> => {
        try {
          for (let read = 0; read < READS; read++)
            told.add(await readCreated(reader, { schema: test.database, table: 'texts' }));
        } finally {
          over = true;
        }
      };
      const writing = (n: number): string[] => {
        const a = n % ROWS;
        return [
          `UPDATE texts SET t = CONCAT('-', a) WHERE a IN (${a}, ${(a * 7) % ROWS})`,
          `UPDATE texts SET t = CONCAT(${long}, a) WHERE a IN (${a}, ${(a * 7) % ROWS})`,
          'INSERT IGNORE INTO texts (a, t) SELECT a, t FROM texts LIMIT 3',
        ];
      };
      const opening = (n: number): string[] => [
        `CREATE TABLE like_${n} LIKE texts`,
        `ALTER TABLE like_${n} ADD COLUMN x INT NULL`,
        `INSERT IGNORE INTO like_${n} (id, a, t) SELECT id, a, t FROM texts`,
        `DROP TABLE like_${n}`,
        'FLUSH TABLES texts',
      ];
      const others = [writing, writing, opening].map((statements) => loop(statements, () => over));
      await Promise.all([reading(), ...others]);
      expect([...told]).to.have.length(1);
      expect([...told][0]).to.match(/^\d{4}-/);
    });
  });
}
