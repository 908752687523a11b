import { expect } from 'chai';

import { availableFlavors, startPrimaryWithReplica, type ReplicatedPair } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { auditCounts, auditTable, writeAudited } from '../support/triggers/audit';
import { triggerFacts } from '../support/triggers/trigger-facts';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';

for (const flavor of availableFlavors()) {
  describe(`the table's triggers on a replica on ${flavor}`, function () {
    this.timeout(300_000);
    let pair: ReplicatedPair;
    let replica: Connection;

    before(async () => {
      pair = await startPrimaryWithReplica(flavor);
      replica = await createConnection({ ...pair.replica.connection, dateStrings: true });
    });
    after(async () => {
      await replica.end();
      await pair.stop();
    });

    it('are the same as on the primary, and wrote what they wrote there', async () => {
      const test = await TestTable.create(pair.primary);
      const before = await auditTable(test);
      const write = async (from: number): Promise<void> => {
        await writeAudited(test, from);
      };
      await test.migrate(ADD_COLUMN, {
        hooks: { beforeRowCopy: () => write(5000), beforeCutOver: () => write(6000) },
      });
      await write(7000);
      expect(await triggerFacts(test)).to.deep.equal(before);
      await pair.caughtUp();
      await replica.query(`USE \`${test.database}\``);
      const there = async (sql: string): Promise<unknown[]> => {
        const [rows] = await replica.query<RowDataPacket[]>(sql);
        return without(rows, 'Created');
      };
      for (const sql of [
        'SHOW TRIGGERS',
        'SELECT * FROM audit ORDER BY id',
        'SELECT * FROM emails ORDER BY id',
      ]) {
        const here = without(await test.query(sql), 'Created');
        expect(await there(sql), sql).to.deep.equal(here);
      }
      expect(await auditCounts(test)).to.deep.equal({ delete: 3, insert: 6, 'update 1': 6, 'update 2': 6 });
      await test.drop();
    });
  });
}
