import { expect } from 'chai';

import type { Database } from '../../lib/database/database';
import { connectDatabase } from '../../lib/database/mysql-database';
import type { Session } from '../../lib/database/session';
import { readCreated } from '../../lib/guard/table-id';
import { readTriggers } from '../../lib/schema/read-table-schema';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';

for (const flavor of availableFlavors()) {
  describe(`reads of a table that somebody's DDL holds on ${flavor}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let database: Database;
    let reader: Session;
    let other: Session;
    let renaming: Promise<unknown>;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    /** A RENAME that has its first table, and waits for the second. */
    beforeEach(async () => {
      test = await TestTable.create(server);
      await test.query('CREATE TABLE zebras (id INT PRIMARY KEY)');
      await test.query('CREATE TRIGGER theirs AFTER INSERT ON emails FOR EACH ROW SET @a = 1');
      database = await connectDatabase(test.knex);
      reader = await database.open('reader');
      other = await database.open('other');
      const ddl = await database.open('ddl');
      await other.execute(`LOCK TABLES ${test.database}.zebras WRITE`);
      renaming = ddl.execute(
        `RENAME TABLE ${test.database}.emails TO ${test.database}.gone, ${test.database}.zebras TO ${test.database}.lions`,
      );
      renaming.catch(() => undefined);
      await until('the RENAME waits', async () => ((await state(ddl)) ? true : undefined));
    });
    afterEach(async () => {
      await other.execute('UNLOCK TABLES');
      await renaming;
      await database.close();
      await test.drop();
    });

    async function state({ id }: Session): Promise<boolean> {
      const rows = await test.query<{ Id: number; State: string | null }>('SHOW PROCESSLIST');
      return rows.some((row) => row.Id === id && /metadata lock/i.test(row.State ?? ''));
    }

    const name = (): { schema: string; table: string } => ({ schema: test.database, table: 'emails' });
    const triggers = async (): Promise<string[]> =>
      (await readTriggers(reader, name())).map((row) => row.name);

    it('that are not granted their lock do not pass for a table without triggers', async () => {
      await reader.execute('SET SESSION lock_wait_timeout = 1');
      // Either what is there, or an error that says why not.
      const found = await triggers().catch((error: unknown) => (error as { errno?: number }).errno);
      if (flavor === 'mysql') expect(found).to.deep.equal(['theirs']);
      else expect(found).to.equal(1205);
      const created = await readCreated(reader, name()).catch(
        (error: unknown) => (error as { errno?: number }).errno,
      );
      if (flavor === 'mysql') expect(created).to.match(/^\d{4}-/);
      else expect(created).to.equal(1205);
    });
  });
}
