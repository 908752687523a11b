import { expect } from 'chai';

import { largeHadronCleanUp } from '../../lib';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ChildMigration, type ChildOrder } from '../support/test-table-process';
import { auditCounts, auditTable, writeAudited } from '../support/triggers/audit';
import { triggerFacts } from '../support/triggers/trigger-facts';

const PLACES: readonly (readonly [what: string, stop: ChildOrder['stop']])[] = [
  ['the tables were swapped', { statement: '^RENAME TABLE', when: 'after' }],
  // Each of the seven was made twice when it was tried.
  ['a guard acts', { statement: '^DROP TRIGGER .*lhmt_', when: 'after', skip: 14 }],
];

/**
 * A process is killed right after the swap, and somebody drops the old table, which is nobody's any more, before the next
 * run or clean-up comes: what was to be done to the new one is done all the same.
 */
for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`an old table that is dropped before a dead run is cleaned up on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let child: ChildMigration | undefined;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(async () => {
      await child?.kill();
      await test.drop();
    });

    async function killAndDrop(alter: string, stop: ChildOrder['stop']): Promise<void> {
      child = ChildMigration.start(test, { alter, stop, options: { cutOver: { oldReadViews: 'ignore' } } });
      await child.reached();
      await child.kill();
      await until('the end of the killed connections', async () =>
        (await migrationConnections(test)).length === 0 ? true : undefined,
      );
      const old = await oldTables(test);
      expect(old).to.have.length(1);
      await test.query(`DROP TABLE ${old[0]!}`);
    }

    for (const [what, stop] of every(2, PLACES)) {
      it(`when ${what}: the table’s own triggers get their names`, async () => {
        const before = await auditTable(test);
        await killAndDrop('ADD COLUMN extra INT', stop);
        await largeHadronCleanUp('emails', { knex: test.knex });
        expect(await triggerFacts(test)).to.deep.equal(before);
        expect(await writeAudited(test, 5000)).to.deep.equal(await auditCounts(test));
        expect(await test.definition()).to.contain('`extra`');
        await expectNoLeaks(test);
      });
    }

    it('the index that only the copy needed goes', async () => {
      const alter = 'MODIFY id INT UNSIGNED NOT NULL, DROP PRIMARY KEY, ADD PRIMARY KEY (address)';
      await killAndDrop(alter, { statement: '^ALTER TABLE .* DROP INDEX .hadron_key', when: 'before' });
      expect(await test.definition()).to.contain('hadron_key');
      await largeHadronCleanUp('emails', { knex: test.knex });
      expect(await test.definition()).not.to.contain('hadron_key');
      expect(await test.rows()).to.have.length(30);
      await expectNoLeaks(test);
    });
  });
}
