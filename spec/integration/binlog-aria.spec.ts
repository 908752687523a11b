import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import { BinlogStream } from '../../lib/binlog/binlog-stream';
import { currentPosition } from '../../lib/binlog/binlog-position';
import type { StreamedTable } from '../../lib/binlog/streamed-table';
import { CapturedKeys } from '../../lib/changes/binlog/captured-keys';
import { rowsAreFree } from '../../lib/changes/binlog/rows-are-free';
import { untilCommitted } from '../../lib/changes/binlog/until-committed';
import type { Database } from '../../lib/database/database';
import { connectDatabase } from '../../lib/database/mysql-database';
import type { Session } from '../../lib/database/session';
import type { ChunkKey } from '../../lib/schema/chunk-key';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

/** A table of InnoDB whose rows are changed together with those of an engine that does not commit in two phases. */
const PRIMARY = { originIndex: 'PRIMARY', originKeys: { names: ['id'] } } as unknown as ChunkKey;
const TOGETHER = ['START TRANSACTION', 'UPDATE emails SET size = size + 1 WHERE id = 3', 'SELECT * FROM log'];

for (const flavor of availableFlavors().filter((name) => name === 'mariadb')) {
  describe(`transactions that have to do with an Aria table, in the log of ${flavor}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let client: Connection;
    let database: Database;
    let session: Session;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      await test.query('CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE = Aria');
      client = await test.connect();
      database = await connectDatabase(test.knex);
      session = await database.open('spec');
    });
    afterEach(async () => {
      await database.close();
      await test.drop();
    });

    const isFree = (): Promise<boolean> =>
      rowsAreFree(session, { schema: test.database, table: 'emails' }, PRIMARY, [
        { action: 'update', literals: ['3'] },
      ]);

    it('their COMMIT is told to be a statement, and that of others is not', async () => {
      const stream = new BinlogStream({ database, tables: [await streamed(test)] });
      await stream.start(await currentPosition(session));
      for (const sql of [...TOGETHER, 'COMMIT', 'UPDATE emails SET size = 0 WHERE id = 4'])
        await client.query(sql);
      const commits: unknown[] = [];
      for await (const { events } of stream) {
        for (const event of events) if (event.kind === 'commit') commits.push(event.byStatement);
        if (commits.length === 2) break;
      }
      stream.close();
      expect(commits).to.deep.equal([true, undefined]);
    });

    it('their keys stay in doubt for as long as they hold the rows', async () => {
      for (const sql of TOGETHER) await client.query(sql);
      const position = (offset: number) => ({ file: 'binlog.000001', offset });
      const keys = new CapturedKeys();
      const settle = () => untilCommitted(keys, session, database.server, isFree);
      // As the log tells it once they are in it.
      keys.takeIn({ kind: 'begin', position: position(100) });
      const row = { before: ['3'], after: ['3'] };
      keys.takeIn({ kind: 'rows', table: 'origin', action: 'update', rows: [row] });
      keys.takeIn({ kind: 'commit', position: position(200), byStatement: true });
      keys.take();
      await settle();
      expect([keys.size, keys.inDoubt]).to.deep.equal([0, 1]);
      expect(keys.startAgainAt(position(300))).to.deep.equal(position(100));
      await client.query('COMMIT');
      await settle();
      expect([keys.size, keys.inDoubt]).to.deep.equal([1, 0]);
      expect(keys.startAgainAt(position(300))).to.deep.equal(position(300));
    });

    it('their keys stay in doubt also when the first and the last of their rows were taken back', async () => {
      const stream = new BinlogStream({ database, tables: [await streamed(test)] });
      await stream.start(await currentPosition(session));
      await test.query('CREATE TABLE others (id INT PRIMARY KEY)');
      const inserted = (id: number, savepoint: string): string[] => [
        `SAVEPOINT ${savepoint}`,
        `INSERT INTO emails (id, address) VALUES (${id}, 'taken back')`,
        'INSERT INTO log (v) VALUES (1)',
        `ROLLBACK TO ${savepoint}`,
      ];
      const transaction = [
        ...['START TRANSACTION', 'INSERT INTO others VALUES (1)', ...inserted(101, 'a')],
        ...['UPDATE emails SET size = size + 1 WHERE id = 3', ...inserted(102, 'b'), 'SELECT * FROM log'],
      ];
      for (const sql of [...transaction, 'COMMIT', 'DELETE FROM others']) await client.query(sql);
      const keys = new CapturedKeys();
      reading: for await (const { events } of stream) {
        for (const event of events) {
          keys.takeIn(event);
          if (event.kind === 'commit') break reading;
        }
      }
      stream.close();
      keys.take();
      const settle = () =>
        untilCommitted(keys, session, database.server, (on, ends) =>
          rowsAreFree(on, { schema: test.database, table: 'emails' }, PRIMARY, ends),
        );
      // Once more, and not at its end yet, as it may be when the log is read.
      for (const sql of transaction) await client.query(sql);
      await settle();
      expect([keys.size, keys.inDoubt]).to.deep.equal([0, 1]);
      await client.query('COMMIT');
      await settle();
      expect([keys.size, keys.inDoubt]).to.deep.equal([3, 0]);
    });

    it('are over when the table bears another name', async () => {
      await test.query('RENAME TABLE emails TO elsewhere');
      expect(await isFree()).to.equal(true);
    });

    it('none of their changes is lost', async () => {
      const writers = [1, 2, 3].map((id) => new Writer(test, id));
      const writing = writers.map((writer) => writer.write());
      try {
        const { oldTable } = await test.migrate(ADD_COLUMN, {
          ...{ mode: 'binlog', verify: false, chunk: { rows: 7 } },
          hooks: {
            afterRowCopy: () => Promise.all(writers.map((writer) => writer.some(50))).then(() => undefined),
          },
        });
        for (const writer of writers) writer.stopped = true;
        await Promise.all(writing);
        const rows = await test.query<{ id: number; size: number }>(
          'SELECT id, size FROM emails WHERE id < 4',
        );
        expect(rows).to.deep.equal(writers.map(({ id, done }) => ({ id, size: 10 * id + done })));
        const untouched = async (table: string) =>
          without(await test.query(`SELECT * FROM ${table} WHERE id > 3 ORDER BY id`), 'extra');
        expect(await untouched('emails')).to.deep.equal(await untouched(oldTable!));
      } finally {
        for (const writer of writers) writer.stopped = true;
        await Promise.allSettled(writing);
      }
    });
  });
}

/** Counts one row up, each time together with the Aria table. */
class Writer {
  done = 0;
  stopped = false;
  private wake: (() => void) | null = null;

  constructor(
    private readonly test: TestTable,
    readonly id: number,
  ) {}

  async write(): Promise<void> {
    const client = await this.test.connect();
    for (; !this.stopped; this.done++) {
      await client.query('START TRANSACTION');
      await client.query(`UPDATE emails SET size = size + 1 WHERE id = ${this.id}`);
      await client.query('INSERT INTO log (v) VALUES (1)');
      await client.query('COMMIT');
      this.wake?.();
    }
  }

  /** Resolves when it has written so often. */
  some(times: number): Promise<void> {
    const until = this.done + times;
    return new Promise((resolve) => {
      this.wake = () => {
        if (this.done >= until) resolve();
      };
    });
  }
}

async function streamed(test: TestTable): Promise<StreamedTable> {
  const columns = await test.query<StreamedTable['columns'][number]>(
    `SELECT COLUMN_NAME AS name, DATA_TYPE AS dataType, COLUMN_TYPE AS columnType, CHARACTER_SET_NAME AS charset
      FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'emails' ORDER BY ORDINAL_POSITION`,
  );
  return { key: 'emails', schema: test.database, table: 'emails', columns, wanted: ['id'] };
}
