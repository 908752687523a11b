import { expect } from 'chai';

import type { BinlogPosition } from '../../lib/binlog/binlog-position';
import { xidText } from '../../lib/binlog/xid';
import { CapturedKeys } from '../../lib/changes/binlog/captured-keys';
import { untilCommitted } from '../../lib/changes/binlog/until-committed';
import type { Database } from '../../lib/database/database';
import { connectDatabase } from '../../lib/database/mysql-database';
import type { Session } from '../../lib/database/session';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';

const at = (offset: number): BinlogPosition => ({ file: 'binlog.000001', offset });

for (const flavor of availableFlavors()) {
  describe(`an XA COMMIT that is in the log of ${flavor}, and not done yet`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let database: Database;
    let session: Session;
    let keys: CapturedKeys;
    let xid: string;
    let ended: (verb: 'COMMIT' | 'ROLLBACK') => Promise<unknown>;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      xid = xidText(Buffer.from(test.database), Buffer.alloc(0), 1);
      database = await connectDatabase(test.knex);
      session = await database.open('spec');
      const client = await test.connect();
      const change = "UPDATE emails SET note = 'xa' WHERE id = 3";
      for (const sql of [`XA START ${xid}`, change, `XA END ${xid}`, `XA PREPARE ${xid}`])
        await client.query(sql);
      // As the log of the server tells it, whose COMMIT the transaction waits for still.
      keys = new CapturedKeys();
      keys.takeIn({ kind: 'begin', position: at(100) });
      keys.takeIn({
        kind: 'rows',
        table: 'origin',
        action: 'update',
        rows: [{ before: ['3'], after: ['3'] }],
      });
      keys.takeIn({ kind: 'xa-prepare', xid, position: at(200) });
      keys.take();
      keys.takeIn({ kind: 'xa-commit', xid, position: at(300) });
      ended = (verb) => client.query(`XA ${verb} ${xid}`);
    });
    afterEach(async () => {
      await ended('ROLLBACK').catch(() => undefined);
      await database.close();
      await test.drop();
    });

    const settle = (): Promise<void> => untilCommitted(keys, session, database.server, () => true);

    if (flavor === 'mysql') {
      it('is done before all that comes behind it in the log', async () => {
        await settle();
        expect([keys.size, keys.inDoubt]).to.deep.equal([1, 0]);
      });
      return;
    }

    it('leaves its keys in doubt until it is done', async () => {
      await settle();
      expect([keys.size, keys.inDoubt]).to.deep.equal([0, 1]);
      expect(keys.startAgainAt(at(300))).to.deep.equal(at(100));
      await ended('COMMIT');
      await settle();
      expect([keys.size, keys.inDoubt]).to.deep.equal([1, 0]);
      expect(keys.startAgainAt(at(300))).to.deep.equal(at(300));
    });

    it('is done when its name is in use again', () => {
      keys.takeIn({ kind: 'xa-prepare', xid, position: at(400) });
      expect([keys.size, keys.inDoubt]).to.deep.equal([1, 0]);
    });

    it('comes again when the log is read anew', async () => {
      keys.reset();
      await settle();
      expect([keys.size, keys.inDoubt]).to.deep.equal([0, 0]);
    });
  });
}
