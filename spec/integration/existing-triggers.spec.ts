import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { quote, TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';
import {
  auditCounts,
  AuditedWriters,
  auditTable,
  expectInOrder,
  sum,
  writeAudited,
} from '../support/triggers/audit';
import { KINDS } from '../support/triggers/kinds';
import { triggerFacts, triggersOf } from '../support/triggers/trigger-facts';

const SMALL = { chunk: { rows: 50 }, verify: { rows: 50 } };

/** How long the application's slowest write took while something went on, in ms. */
async function slowestWrite(test: TestTable, during: () => Promise<unknown>): Promise<number> {
  const client = await test.connect();
  const going = { on: true };
  let slowest = 0;
  const writing = (async () => {
    while (going.on) {
      const from = performance.now();
      await client.query('UPDATE emails SET size = size + 1 WHERE id = 7');
      slowest = Math.max(slowest, performance.now() - from);
    }
  })();
  await during().finally(() => (going.on = false));
  await writing;
  return slowest;
}

async function writeOnce(test: TestTable): Promise<void> {
  await writeAudited(test, 5000);
}

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  describe(`triggers that the table has on ${on}`, function () {
    this.timeout(300_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    afterEach(() => test.drop());

    for (const strategy of every(2, atomicStrategiesOf(flavor))) {
      const options = { ...SMALL, cutOver: { strategy } };

      describe(`(${strategy})`, () => {
        itOnce('of every kind are on the new table, each as it was and in the same order', async () => {
          test = await TestTable.create(server);
          await test.query('CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what TEXT)');
          for (const { what, only, under = [], sql } of KINDS) {
            if (only !== undefined && only !== flavor) continue;
            const client = await test.connect({ charset: 'utf8mb4', flags: ['-IGNORE_SPACE'] });
            for (const setting of under) await client.query(setting);
            await client.query(sql).catch((error: unknown) => {
              throw new Error(`${what}: ${String(error)}`);
            });
            await client.end();
          }
          const before = await triggerFacts(test);
          await test.migrate(ADD_COLUMN, options);
          expect(await triggerFacts(test)).to.deep.equal(before);
          expect(
            await triggerFacts(
              test,
              (await test.tables()).find((name) => name.includes('_lhmo_')),
            ),
          ).to.deep.equal([]);
          // Each of them can be run.
          await test.query("INSERT INTO emails (address) VALUES ('new')");
          await test.query("UPDATE emails SET note = 'x' WHERE id = 1");
          await test.query('DELETE FROM emails WHERE id = 2');
          const trail = (await test.rows('audit')).map(({ what }) => what);
          expect(trail).to.include.members([
            'BEFORE DELETE',
            '汉字',
            'жук',
            'Zoë €“x”',
            '😀',
            'of 31',
            'called',
          ]);
          expect(trail).to.include.members(['1\\', '01\\', '1\\\\']);
          await expectNoLeaks(test);
          // The next migration carries them just so.
          await test.migrate('DROP COLUMN extra', options);
          expect(await triggerFacts(test)).to.deep.equal(before);
        });

        it('fire exactly once for every write, while it is migrated and swapped', async () => {
          test = await TestTable.create(server, { rows: 400 });
          const before = await auditTable(test);
          const writers = await AuditedWriters.start(test, 5);
          await test.migrate(ADD_COLUMN, options);
          const during = writers.acknowledged;
          const expected = await writers.stop();
          expect(await auditCounts(test)).to.deep.equal(expected);
          expect(during).to.be.above(50);
          await expectInOrder(test);
          expect(await triggerFacts(test)).to.deep.equal(before);
          const more = await writeAudited(test, 900_000);
          expect(await auditCounts(test)).to.deep.equal(sum(expected, more));
          await expectNoLeaks(test);
        });

        itOnce(
          'are taken off the copy again when an attempt fails, and never fire on what is copied',
          async () => {
            test = await TestTable.create(server);
            const before = await auditTable(test);
            const knex = test.makeKnex();
            const refusal =
              "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = 'Lock wait timeout'";
            const on: string[][] = [];
            const look = async (): Promise<void> => {
              on.push((await triggersOf(test)).filter((name) => name.startsWith('lhmt_')));
            };
            intercept(knex, { match: /^RENAME TABLE/, when: 'before', run: look, rewrite: () => refusal });
            // The second attempt's lock is asked for after changes were applied for a while.
            intercept(knex, { match: /^LOCK TABLES .*_lhmn/, skip: 1, when: 'before', run: look });
            const hooks = { beforeCutOver: () => writeOnce(test) };
            const result = await test.migrate(ADD_COLUMN, { ...options, knex, hooks });
            expect(result.cutOver.attempts).to.equal(2);
            expect(on.map((names) => names.length)).to.deep.equal([7, 0]);
            expect(await triggerFacts(test)).to.deep.equal(before);
            expect(await auditCounts(test)).to.deep.equal({
              delete: 1,
              insert: 2,
              'update 1': 2,
              'update 2': 2,
            });
            await expectNoLeaks(test);
          },
        );

        itOnce('stay where they are when the migration is given up in its cut-over', async () => {
          test = await TestTable.create(server);
          const before = await auditTable(test);
          const knex = test.makeKnex();
          const refusal = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no more'";
          intercept(knex, {
            match: /^RENAME TABLE/,
            when: 'before',
            run: () => undefined,
            rewrite: () => refusal,
          });
          const error = await test.failure(ADD_COLUMN, {
            ...{
              knex,
              cutOver: { strategy, attempts: 1 },
              hooks: { afterRowCopy: () => writeOnce(test) },
            },
          });
          expect(error.outcome).to.equal('rolled-back');
          expect(await triggerFacts(test)).to.deep.equal(before);
          expect(await auditCounts(test)).to.deep.equal({
            delete: 1,
            insert: 2,
            'update 1': 2,
            'update 2': 2,
          });
          await expectNoLeaks(test);
        });
      });
    }

    itOnce(
      'that write to a table which somebody holds: the swap waits for it without asking for a lock',
      async () => {
        test = await TestTable.create(server);
        const before = await auditTable(test);
        const holder = await test.connect();
        // Not before: while our own triggers are made, the table is locked as well.
        const hold = async (): Promise<void> => {
          await holder.query('BEGIN');
          await holder.query('SELECT * FROM audit');
        };
        const reasons: string[] = [];
        const slowest = await slowestWrite(test, () =>
          test.migrate(ADD_COLUMN, {
            ...SMALL,
            cutOver: { backoffMs: 200, oldReadViews: 'ignore' },
            // Long enough for it to be known as one who holds a table for long.
            chunk: { rows: 5, pauseMs: 300 },
            hooks: { beforeRowCopy: hold },
            progress: ({ waitingFor }) => {
              if (waitingFor === null || reasons.includes(waitingFor)) return;
              // Long enough for a lock to be asked for in vain.
              if (reasons.push(waitingFor) === 1) setTimeout(() => void holder.query('COMMIT'), 2500);
            },
          }),
        );
        // On MariaDB a reader is not in the way of a lock on a table whose triggers write there.
        const seen =
          flavor === 'mysql' ? /^connection \d+ has held 'audit', which is locked with the table/ : /^$/;
        expect(reasons.join('\n')).to.match(seen);
        if (flavor === 'mariadb') await holder.query('COMMIT');
        expect(slowest, 'ms for one write').to.be.below(3000);
        expect(await triggerFacts(test)).to.deep.equal(before);
        await expectNoLeaks(test);
      },
    );

    itOnce('of a table whose name has to be quoted', async () => {
      const table = 'my "tab`le\' ä';
      test = await TestTable.create(server, { table });
      await test.query('CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what TEXT)');
      await test.query(
        `CREATE TRIGGER ${quote('the `one')} AFTER INSERT ON ${quote(table)} FOR EACH ROW INSERT INTO audit (what) VALUES (NEW.address)`,
      );
      const before = await triggerFacts(test);
      await test.migrate(ADD_COLUMN);
      expect(await triggerFacts(test)).to.deep.equal(before);
      await test.query(`INSERT INTO ${quote(table)} (address) VALUES ('new')`);
      expect((await test.rows('audit')).map(({ what }) => what)).to.deep.equal(['new']);
      await expectNoLeaks(test);
    });

    it('whose BEFORE trigger gives a row its key: the row that came of it is carried', async () => {
      test = await TestTable.create(server);
      await test.query(
        'CREATE TRIGGER moves BEFORE UPDATE ON emails FOR EACH ROW SET NEW.id = IF(NEW.size = 7, OLD.id + 500, NEW.id)',
      );
      await test.query(
        'CREATE TRIGGER gives BEFORE INSERT ON emails FOR EACH ROW SET NEW.id = IF(NEW.size = 7, 1000, NEW.id)',
      );
      await test.migrate(ADD_COLUMN, {
        ...SMALL,
        hooks: {
          afterRowCopy: async () => {
            await test.query('UPDATE emails SET size = 7 WHERE id = 3');
            await test.query("INSERT INTO emails (id, address, size) VALUES (77, 'given', 7)");
          },
        },
      });
      const ids = (await test.rows()).map(({ id }) => id);
      expect(ids).to.include.members([503, 1000]).and.not.include.members([3, 77]);
      await expectNoLeaks(test);
    });
  });
}
