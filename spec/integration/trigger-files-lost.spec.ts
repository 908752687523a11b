import { expect } from 'chai';
import { copyFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { largeHadronCleanUp, planLargeHadronMigration, type LargeHadronError } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

/** MySQL keeps no files of triggers. */
for (const flavor of availableFlavors().filter((one) => one === 'mariadb')) {
  describe(`a trigger whose file the server has lost, on ${flavor}`, function () {
    this.timeout(60_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    async function fileOf(test: TestTable, trigger: string): Promise<string> {
      const [folder] = await test.query<{ path: string }>('SELECT @@GLOBAL.datadir AS path');
      return join(folder!.path, test.database, `${trigger}.TRN`);
    }

    async function loseFile(test: TestTable, trigger: string): Promise<void> {
      await rm(await fileOf(test, trigger));
    }

    /** As when the server is interrupted while it drops the table. */
    it('the other way round: a file that has lost its table keeps no migration away', async () => {
      const test = await TestTable.create(server);
      await test.query('CREATE TABLE emails_lhms (id INT)');
      await test.query('CREATE TRIGGER emails_lhms AFTER UPDATE ON emails_lhms FOR EACH ROW SET @a = 1');
      const file = await fileOf(test, 'emails_lhms');
      await copyFile(file, `${file}.kept`);
      await test.query('DROP TABLE emails_lhms');
      await rename(`${file}.kept`, file);
      const { text } = await planLargeHadronMigration('emails', { knex: test.knex }, ADD_COLUMN);
      expect(text).to.contain('extra');
      await test.migrate(ADD_COLUMN);
      expect(await test.rows()).to.have.length(30);
      await expectNoLeaks(test);
      await test.drop();
    });

    it('keeps what it writes to, so that the application goes on, until it can be dropped', async () => {
      const test = await TestTable.create(server);
      const before = await test.rows();
      const error: LargeHadronError = await failureOf(
        test.migrate(ADD_COLUMN, {
          hooks: {
            beforeCutOver: async () => {
              await loseFile(test, 'emails_lhmi');
              throw new Error('not now');
            },
          },
        }),
      );
      expect(error).to.include({ code: 'LHM_HOOK_FAILED', outcome: 'rolled-back' });
      const left = error.leftovers.map(({ name }) => name.slice(test.database.length + 1));
      expect(left).to.include('emails_lhmi');
      expect(left.some((name) => name.startsWith('emails_lhmj_'))).to.equal(true);
      await expectWritable(test);
      expect(await test.rows()).to.deep.equal(before);

      const again = await failureOf(largeHadronCleanUp('emails', { knex: test.makeKnex() }));
      expect(again.message).to.contain("'emails_lhmi'");
      const [rename] = /RENAME TABLE .*?(?= makes it known)/.exec(again.message)!;
      await expectWritable(test);
      await test.query(rename);
      await largeHadronCleanUp('emails', { knex: test.makeKnex() });
      await expectWritable(test);
      await test.migrate(ADD_COLUMN, { knex: test.makeKnex() });
      await expectNoLeaks(test);
      await test.drop();
    });
  });
}
