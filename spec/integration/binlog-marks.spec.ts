import { expect } from 'chai';
import createKnex from 'knex';

import { ChangelogTable } from '../../lib/changes/binlog/changelog-table';
import { MarkTimes } from '../../lib/changes/binlog/mark-times';
import { MarkWriter } from '../../lib/changes/binlog/mark-writer';
import { Marks } from '../../lib/changes/binlog/marks';
import { connectDatabase } from '../../lib/database/mysql-database';
import { readOnlySwitch } from '../../lib/database/read-only';
import { derivedNames } from '../../lib/schema/derived-names';
import type { TablePair } from '../../lib/schema/table-pair';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';

for (const flavor of availableFlavors()) {
  describe(`marks in the binary log of ${flavor}`, function () {
    this.timeout(30_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(() => test.drop());

    it('are written in their order by several at once, on a connection that was lost and is slow to make', async () => {
      const settings = { ...server.connection, database: test.database };
      const connection = async (): Promise<typeof settings> => {
        await test.query('SELECT 1');
        return settings;
      };
      const knex = createKnex({ client: 'mysql2', connection });
      const database = await connectDatabase(knex);
      try {
        const session = await database.open('marker');
        const names = derivedNames('emails', '20260101000000000');
        const changelog = new ChangelogTable({ schema: test.database, names } as TablePair);
        await changelog.create(session);
        const options = { readOnly: readOnlySwitch(database.server, false) };
        const times = new MarkTimes(changelog.readMark);
        const writer = new MarkWriter(session, database, new Marks(), changelog, times, options);
        expect(await writer.write()).to.equal(1);
        const [me] = await session.query<{ id: number }>('SELECT CONNECTION_ID() AS id');
        await test.query(`KILL ${me?.id}`);
        await until('the loss', () => Promise.resolve(session.lost || undefined));
        expect(await Promise.all([writer.write(), writer.write(), writer.write()])).to.deep.equal([2, 3, 4]);
        const [row] = await session.query<{ counter: string }>(changelog.readMark);
        expect(Number(row?.counter)).to.equal(4);
      } finally {
        await database.close();
        await knex.destroy();
      }
    });
  });
}
