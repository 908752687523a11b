import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`transactions that are open for long on ${on}`, function () {
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => (test = await TestTable.create(server, { rows: 60 })));
    afterEach(() => test.drop());

    /** Times that a statement of any session had to wait for a row. */
    async function waits(): Promise<number> {
      const [row] = await test.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_waits'");
      return Number(row?.Value);
    }

    it('hold up neither the copy nor the changes around them', async () => {
      const slow = await test.connect();
      let before = 0;
      let after = 0;
      const change = async (ids: readonly number[]): Promise<void> => {
        for (const id of ids) await test.query('UPDATE emails SET size = size + 1 WHERE id = ?', [id]);
      };
      const { oldTable, changesApplied } = await test.migrate('ADD COLUMN x INT NULL', {
        chunk: { rows: 10 },
        hooks: {
          beforeRowCopy: async () => {
            before = await waits();
            // Entries in the midst of the journal that are not committed, with committed ones on either side.
            await slow.query('START TRANSACTION');
            for (let id = 1; id <= 50; id += 10) {
              await change([id, id + 1, id + 2]);
              await slow.query('UPDATE emails SET size = -1 WHERE id = ?', [id + 3]);
              await change([id + 4, id + 5]);
            }
          },
          afterRowCopy: () => change([1, 5, 9, 60]),
          beforeCutOver: async () => {
            after = await waits();
            await slow.query('COMMIT');
          },
        },
      });
      expect(after - before, 'statements that had to wait').to.equal(0);
      expect(changesApplied).to.be.at.least(4);
      const rows = await test.rows();
      expect(without(rows, 'x')).to.deep.equal(await test.rows(oldTable!));
      expect(rows.filter(({ size }) => size === -1)).to.have.length(5);
    });
  });
}
