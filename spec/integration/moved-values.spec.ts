import { expect } from 'chai';

import type { HookOptions } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';

const ROWS = 3000;

/** Every row takes the value that the next one in the key holds, the last one that of the first, in one transaction. */
const ROTATE = [
  'START TRANSACTION',
  'UPDATE emails SET slot = -slot',
  `UPDATE emails SET slot = MOD(-slot, ${ROWS}) + 1`,
  'COMMIT',
];

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`unique values that moved between many rows on ${on}`, function () {
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server, {
        columns: 'id INT PRIMARY KEY, slot INT NULL UNIQUE, note VARCHAR(50) NULL',
      });
      const rows = Array.from({ length: ROWS }, (_, i) => [i + 1, i + 1, `n${i + 1}`]);
      await test.query('INSERT INTO emails VALUES ?', [rows]);
    });
    afterEach(() => test.drop());

    async function rotate(times: number): Promise<void> {
      const application = await test.connect();
      for (let i = 0; i < times; i++) for (const sql of ROTATE) await application.query(sql);
    }

    async function migrateWith(hooks: HookOptions, options: Options = {}): Promise<void> {
      const { oldTable, verified } = await test.migrate('ADD COLUMN x INT NULL', { ...options, hooks });
      expect(without(await test.rows(), 'x')).to.deep.equal(await test.rows(oldTable!));
      expect(verified.notCompared).to.equal(0);
    }

    for (const hook of ['afterRowCopy', 'beforeCutOver'] as const) {
      it(`in ${hook}: each row has its own in the end`, () => migrateWith({ [hook]: () => rotate(1) }));
    }

    it('while rows are copied: each row has its own in the end', async () => {
      let rotated: Promise<void> = Promise.resolve();
      await migrateWith(
        {
          beforeRowCopy: () => {
            rotated = rotate(8);
          },
          // What is compared in the end must not change any more.
          beforeCutOver: () => rotated,
        },
        { chunk: { rows: 50 } },
      );
    });
  });
}
