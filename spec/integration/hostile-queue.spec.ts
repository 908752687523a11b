import { expect } from 'chai';

import type { LargeHadronError } from '../../lib';
import { createAccount } from '../support/account';
import { queueUp, type Queued } from '../support/hostile/queue';
import { expectNoLeaks } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const SENTRY: Options = { cutOver: { strategy: 'sentry', backoffMs: 10 } };

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`who waits for the table at the swap, on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(() => test.drop());

    const ended = (work: Promise<unknown>): Promise<LargeHadronError | null> =>
      work.then(
        () => null,
        (reason: unknown) => reason as LargeHadronError,
      );

    for (const [how, prepare, sql] of every(3, [
      [
        'in a procedure',
        'CREATE PROCEDURE empties() BEGIN DO 1; TRUNCATE TABLE emails; END',
        'CALL empties()',
      ],
      ['behind a comment', 'DO 1', '/* SELECT 1 */ TRUNCATE TABLE emails'],
      [
        'of its only partition',
        'ALTER TABLE emails PARTITION BY HASH (id) PARTITIONS 1',
        'ALTER TABLE emails TRUNCATE PARTITION p0',
      ],
    ] as const)) {
      it(`a TRUNCATE ${how} that has come before the RENAME is not undone`, async () => {
        await test.query(prepare);
        let queued: Queued | undefined;
        intercept(test.knex, {
          ...{ match: /^RENAME TABLE/, when: 'before' },
          run: async () => void (queued = await queueUp(test, await test.connect(), sql)),
        });
        const error = await test.failure(ADD_COLUMN, SENTRY);
        await queued!.end;
        expect(queued!.ended).to.equal(0);
        expect(error).to.include({ code: 'LHM_ORIGIN_CHANGED', outcome: 'rolled-back' });
        expect(await test.rows()).to.deep.equal([]);
        await expectNoLeaks(test);
      });
    }

    it('a TRUNCATE that the account may not see is told right after the swap', async () => {
      await test.query('SET GLOBAL log_bin_trust_function_creators = 1');
      const { knex } = await createAccount(test);
      let queued: Queued | undefined;
      intercept(knex, {
        ...{ match: /^RENAME TABLE/, when: 'before' },
        run: async () => void (queued = await queueUp(test, await test.connect(), 'TRUNCATE TABLE emails')),
      });
      const error = await test.failure(ADD_COLUMN, {
        ...{ knex, blindSpots: 'accept' },
        cutOver: { ...SENTRY.cutOver, oldReadViews: 'ignore' },
      });
      await queued!.end;
      expect(error).to.include({ code: 'LHM_ORIGIN_CHANGED', outcome: 'swapped' });
      expect(error.message).to.match(/in the instant of the swap/);
      expect(await test.definition()).to.contain('`extra`');
      for (const { sql } of error.leftovers) await test.query(sql);
      await expectNoLeaks(test);
      await expectWritable(test);
    });

    it('DDL that waits for another table holds nothing up', async () => {
      await test.query('CREATE TABLE other (id INT PRIMARY KEY)');
      const holder = await test.connect();
      await holder.query('LOCK TABLES other READ');
      let queued: Queued | undefined;
      intercept(test.knex, {
        ...{ match: /^RENAME TABLE/, when: 'before' },
        run: async () => void (queued = await queueUp(test, await test.connect(), 'TRUNCATE TABLE other')),
      });
      const was = await test.rows();
      const { cutOver } = await test.migrate(ADD_COLUMN, SENTRY);
      expect(queued?.ended, 'it waits still').to.equal(null);
      await holder.query('UNLOCK TABLES');
      await queued!.end;
      expect(cutOver.attempts).to.equal(1);
      expect(without(await test.rows(), 'extra')).to.deep.equal(was);
      await expectNoLeaks(test);
    });

    it('DDL that waits for another table from the beginning on holds the swap up at most', async () => {
      await test.query('CREATE TABLE other (id INT PRIMARY KEY)');
      const holder = await test.connect();
      const client = await test.connect();
      const was = await test.rows();
      let queued: Queued | undefined;
      let released: Promise<unknown> | undefined;
      const release = (): void => void (released ??= holder.query('UNLOCK TABLES'));
      await test.migrate(ADD_COLUMN, {
        ...{ chunk: { rows: 7 }, verify: { rows: 7 }, cutOver: { backoffMs: 10 } },
        hooks: {
          afterRowCopy: async () => {
            await holder.query('LOCK TABLES other READ');
            queued = await queueUp(test, client, 'TRUNCATE TABLE other');
          },
        },
        progress: ({ phase, waitingFor }) => {
          if (phase === 'clean-up' || (phase === 'cut-over' && waitingFor !== null)) release();
        },
      });
      release();
      await released;
      await queued!.end;
      expect(without(await test.rows(), 'extra')).to.deep.equal(was);
      await expectNoLeaks(test);
    });

    for (const strategy of atomicStrategiesOf(flavor)) {
      it(`readers and writers that wait go on with the new table, without an error (${strategy})`, async () => {
        const waiting: Queued[] = [];
        intercept(test.knex, {
          ...{ match: /^RENAME TABLE/, when: 'before' },
          run: async () => {
            for (const sql of [
              "INSERT INTO emails (id, address) VALUES (500, 'waited')",
              'UPDATE emails SET size = 1 WHERE id = 5',
              'DELETE FROM emails WHERE id = 6',
              'SELECT * FROM emails FOR UPDATE',
              'SELECT COUNT(*) FROM emails',
            ])
              waiting.push(await queueUp(test, await test.connect(), sql));
          },
        });
        const { cutOver } = await test.migrate(ADD_COLUMN, { cutOver: { strategy } });
        for (const one of waiting) await one.end;
        expect(waiting.map((one) => one.ended)).to.deep.equal([0, 0, 0, 0, 0]);
        expect(cutOver.attempts).to.equal(1);
        const rows = await test.query(
          'SELECT id, size, extra FROM emails WHERE id IN (5, 6, 500) ORDER BY id',
        );
        expect(rows).to.deep.equal([
          { id: 5, size: 1, extra: null },
          { id: 500, size: 0, extra: null },
        ]);
        await expectNoLeaks(test);
      });

      it(`LOCK TABLES … WRITE and writes that wait go on with the new table (${strategy})`, async () => {
        let queued: Queued | undefined;
        const client = await test.connect();
        intercept(test.knex, {
          ...{ match: /^RENAME TABLE/, when: 'before' },
          run: async () => void (queued = await queueUp(test, client, 'LOCK TABLES emails WRITE')),
        });
        const migrating = ended(test.migrate(ADD_COLUMN, { cutOver: { strategy } }));
        const lock = await until('the lock to be asked for', () => queued);
        await lock.end;
        await client.query("INSERT INTO emails (id, address) VALUES (500, 'locked')");
        await client.query('UNLOCK TABLES');
        expect(await migrating).to.equal(null);
        expect(await test.query('SELECT id, extra FROM emails WHERE id = 500')).to.deep.equal([
          { id: 500, extra: null },
        ]);
        await expectNoLeaks(test);
      });
    }

    it('the database is dropped: told, and nothing is claimed', async () => {
      const error = await test.failure(ADD_COLUMN, {
        hooks: {
          beforeCutOver: async () => {
            await test.query(`DROP DATABASE ${test.database}`);
          },
        },
      });
      await test.query(`CREATE DATABASE ${test.database}`);
      await test.query(`USE ${test.database}`);
      expect(error).to.include({ code: 'LHM_ORIGIN_CHANGED', outcome: 'unknown' });
    });
  });
}
