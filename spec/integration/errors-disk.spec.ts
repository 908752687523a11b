import { expect } from 'chai';

import { expectTakenBack } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';

/** All tables share one file that may not grow to twice the table; MariaDB keeps more of its own in it. */
const ARGS = ['--innodb-file-per-table=0', '--innodb-data-file-path=ibdata1:12M:autoextend:max:40M'];
const ROWS = { mysql: 22, mariadb: 16 };

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`a full disk on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { args: ARGS, mode })));
    after(() => server.stop());

    it('the new table does not fit: told so, and the table is as it was', async () => {
      const columns = 'id INT PRIMARY KEY, address VARCHAR(100), body LONGBLOB';
      const test = await TestTable.create(server, { columns });
      // Named, because otherwise the new table would get a file of its own.
      if (flavor === 'mysql') await test.query('ALTER TABLE emails TABLESPACE innodb_system');
      for (let id = 1; id <= ROWS[flavor]; id++) {
        await test.query("INSERT INTO emails VALUES (?, 'a', REPEAT('x', 1000000))", [id]);
      }
      const was = { definition: await test.definition(), rows: await test.rows() };
      const error = await test.failure('ADD COLUMN extra INT', { chunk: { rows: 1 } });
      expect(error.message, error.message).to.match(/is full/);
      expect(error.hint).to.match(/Make room.*as much as the old one/);
      if (flavor === 'mysql') {
        await expectTakenBack(test, error, was, { code: 'LHM_DISK_FULL', phase: 'copy' });
        await test.query('DELETE FROM emails WHERE id > 2');
        await test.migrate('ADD COLUMN extra INT', { knex: test.makeKnex() });
        await test.drop();
      } else {
        // On MariaDB not even DROP TABLE goes then, unless the purge has made room: what is left is named, and no trigger is
        // among it.
        expect(error).to.include({ code: 'LHM_DISK_FULL', phase: 'copy', outcome: 'rolled-back' });
        expect(await test.triggers()).to.deep.equal([]);
        const left = (await test.tables()).filter((name) => name !== 'emails');
        expect(error.leftovers.map(({ name }) => name)).to.have.members(
          left.map((name) => `${test.database}.${name}`),
        );
        expect(await test.definition()).to.equal(was.definition);
        expect(await test.rows()).to.deep.equal(was.rows);
        await test.closeClients();
      }
    });
  });
}
