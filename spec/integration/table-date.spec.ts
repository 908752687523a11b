import { expect } from 'chai';

import type { Database } from '../../lib/database/database';
import { connectDatabase } from '../../lib/database/mysql-database';
import { readCreated } from '../../lib/guard/table-id';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';

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
