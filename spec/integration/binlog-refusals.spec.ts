import { expect } from 'chai';

import { LargeHadronEvents, largeHadronMigrate, planLargeHadronMigration } from '../../lib';
import { createAccount, FOR_THE_LOG, NEEDED } from '../support/account';
import { expectNoLeaks } from '../support/leak-guard';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable, without, type Options } from '../support/test-table';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';

const IN_STATEMENTS = "SET SESSION binlog_format = 'STATEMENT'";

for (const flavor of availableFlavors()) {
  describe(`refusals of the binlog mode on ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { args: ['--binlog-ignore-db=lhm_unlogged'] })));
    after(() => server.stop());
    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(() => test.drop());

    const refused = (code: string, hints: RegExp, options: Options = {}) =>
      expectRefused(test, { code, hints }, () => test.failure(ADD_COLUMN, { mode: 'binlog', ...options }));

    it('a format that does not tell rows, before anything is touched', () =>
      test.withGlobal('binlog_format', "'MIXED'", () =>
        refused('LHM_BINLOG_FORMAT', /SET GLOBAL binlog_format = 'ROW'/, { knex: test.makeKnex() }),
      ));

    if (flavor === 'mysql') {
      it('commits that are seen in another order than they are logged', () =>
        test.withGlobal('binlog_order_commits', '0', () =>
          refused('LHM_BINLOG_ORDER', /binlog_order_commits = ON/),
        ));

      it('and when that is switched on while the log is read', async () => {
        const beforeCutOver = async (): Promise<void> => {
          await test.query('SET GLOBAL binlog_order_commits = OFF');
        };
        try {
          const error = await test.failure(ADD_COLUMN, { mode: 'binlog', hooks: { beforeCutOver } });
          expect(error).to.include({ code: 'LHM_BINLOG_ORDER', outcome: 'rolled-back' });
          expect(error.hint).to.match(/binlog_order_commits = ON/);
          await expectNoLeaks(test);
        } finally {
          await test.query('SET GLOBAL binlog_order_commits = ON');
        }
      });
    }

    it('not a log that is kept more briefly than the copy may take, which the plan and the migration tell', async () => {
      let columns = 0;
      const warnings = async (): Promise<string[]> => {
        const change = `ADD COLUMN extra_${++columns} INT`;
        const told: string[] = [];
        const events = new LargeHadronEvents();
        events.on('warning', ({ message }) => told.push(message));
        const options = { knex: test.makeKnex(), mode: 'binlog' as const };
        const plan = await planLargeHadronMigration('emails', options, change);
        await test.migrate(change, { ...options, events });
        expect(told).to.deep.equal(plan.warnings);
        return told;
      };
      // The table of 30 rows is reckoned to take a second.
      const told = await test.withGlobal('binlog_expire_logs_seconds', '1', warnings);
      expect(told).to.have.length(1);
      expect(told[0]).to.contain('after 1 s').and.contain('SET GLOBAL binlog_expire_logs_seconds = 2;');
      expect(await test.withGlobal('binlog_expire_logs_seconds', '2', warnings)).to.deep.equal([]);
      expect(await test.withGlobal('binlog_expire_logs_seconds', '0', warnings)).to.deep.equal([]);
    });

    it('an account that may not read the log, and what it needs is enough', async () => {
      const { knex } = await createAccount(
        test,
        NEEDED.filter((name) => name !== 'TRIGGER'),
        ['PROCESS'],
      );
      const error = await refused('LHM_MISSING_PRIVILEGE', /GRANT REPLICATION SLAVE/, { knex });
      for (const grant of error.hint.match(/GRANT [^;]+;/g) ?? []) await test.query(grant);
      const result = await test.migrate(ADD_COLUMN, { knex, mode: 'binlog' });
      expect(result.rowsCopied).to.equal(30);
      await expectNoLeaks(test);
    });

    it('a database that is kept out of the log', async () => {
      await test.query('CREATE DATABASE lhm_unlogged');
      await test.query('CREATE TABLE lhm_unlogged.emails (id INT PRIMARY KEY)');
      try {
        const error = await failureOf(
          largeHadronMigrate(
            'lhm_unlogged.emails',
            { knex: test.knex, mode: 'binlog', progress: 'none' },
            ADD_COLUMN,
          ),
        );
        expect(error).to.include({ code: 'LHM_BINLOG_OFF', outcome: 'untouched' });
        expect(error.message).to.contain('binlog_ignore_db');
      } finally {
        await test.query('DROP DATABASE lhm_unlogged');
      }
    });

    /** Something that happens while rows are copied ends the migration, and the table is as it was. */
    async function ended(
      code: string,
      meanwhile: (test: TestTable) => Promise<unknown>,
      options: Options = {},
    ): Promise<void> {
      const error = await test.failure(ADD_COLUMN, {
        ...options,
        mode: 'binlog',
        hooks: { beforeCutOver: () => meanwhile(test).then(() => undefined) },
      });
      expect(error.code, error.message).to.equal(code);
      expect(error.outcome).to.equal('rolled-back');
      await expectNoLeaks(test);
    }

    it('a change in statement format meanwhile', () =>
      ended('LHM_BINLOG_FORMAT', async () => {
        const client = await test.connect();
        await client
          .query("SET SESSION binlog_format = 'STATEMENT', SESSION transaction_isolation = 'REPEATABLE-READ'")
          .catch(async () => {
            await client.query(
              "SET SESSION binlog_format = 'STATEMENT', SESSION tx_isolation = 'REPEATABLE-READ'",
            );
          });
        await client.query('UPDATE emails SET size = 5 WHERE id = 3');
      }));

    for (const [what, statements] of Object.entries({
      'a whole table emptied, whose trigger writes to it': [
        'CREATE TRIGGER emptied AFTER DELETE ON other FOR EACH ROW UPDATE emails SET size = size + 1',
        IN_STATEMENTS,
        'DELETE FROM other',
      ],
      'a view emptied that shows a part of it': [
        'CREATE VIEW part AS SELECT * FROM emails WHERE id BETWEEN 10 AND 20',
        IN_STATEMENTS,
        'DELETE FROM part',
      ],
      ...(flavor === 'mariadb' && {
        'settings for one statement': [
          "SET STATEMENT binlog_format = 'STATEMENT', max_statement_time = (SELECT 10) FOR UPDATE emails SET size = size + 1",
        ],
        'an analyzed one': [IN_STATEMENTS, 'ANALYZE FORMAT = JSON UPDATE emails SET size = size + 1'],
        'a table made of what a function returns that writes': [
          'CREATE FUNCTION writes() RETURNS INT DETERMINISTIC BEGIN UPDATE emails SET size = size + 1; RETURN 1; END',
          IN_STATEMENTS,
          'CREATE TABLE made AS SELECT writes() AS made',
        ],
      }),
    }))
      it(`a change in statement format meanwhile: ${what}`, async () => {
        await test.query('CREATE TABLE other (id INT PRIMARY KEY)');
        await test.query('INSERT INTO other VALUES (1)');
        await ended('LHM_BINLOG_FORMAT', async () => {
          const client = await test.connect();
          for (const sql of statements) await client.query(sql);
        });
      });

    it('not a statement that leaves rows alone', async () => {
      await test.query('CREATE TABLE other (id INT PRIMARY KEY)');
      await test.query('CREATE FUNCTION emails() RETURNS INT DETERMINISTIC RETURN 1');
      await test.query('CREATE EVENT emails ON SCHEDULE EVERY 1 DAY DISABLE DO TRUNCATE TABLE emails');
      const beforeCutOver = async (): Promise<void> => {
        const client = await test.connect();
        const deeds = [
          IN_STATEMENTS,
          'ANALYZE TABLE other',
          'CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY LIST (id) (PARTITION p VALUES IN (1))',
          'CREATE VIEW seen AS SELECT id FROM emails',
          ...['TRUNCATE TABLE other', 'DROP FUNCTION emails', 'DROP EVENT emails'],
          ...['CREATE PROCEDURE emails() DROP TABLE emails', 'DROP PROCEDURE emails'],
        ];
        for (const sql of deeds) await client.query(sql);
      };
      await test.migrate(ADD_COLUMN, { mode: 'binlog', hooks: { beforeCutOver } });
    });

    it('an ALTER there and back meanwhile', () =>
      ended('LHM_ORIGIN_CHANGED', async () => {
        await test.query('ALTER TABLE emails ADD COLUMN there INT');
        await test.query('ALTER TABLE emails DROP COLUMN there');
      }));

    it('a BIGINT column more at the end, of which the log tells nothing, with rows written since', () =>
      ended('LHM_ORIGIN_CHANGED', async () => {
        const client = await test.connect();
        await client.query('SET SESSION sql_log_bin = 0');
        await client.query('ALTER TABLE emails ADD COLUMN there BIGINT NULL');
        await test.query('UPDATE emails SET size = 5 WHERE id = 3');
      }));

    it('a TRUNCATE meanwhile', () => ended('LHM_ORIGIN_CHANGED', () => test.query('TRUNCATE TABLE emails')));

    it('a RENAME there and back meanwhile', () =>
      ended('LHM_ORIGIN_CHANGED', async () => {
        await test.query('RENAME TABLE emails TO elsewhere');
        await test.query('UPDATE elsewhere SET size = 7 WHERE id = 4');
        await test.query('RENAME TABLE elsewhere TO emails');
      }));

    for (const [what, statements] of Object.entries({
      'a partition of another table exchanged with it': [
        'ALTER TABLE other EXCHANGE PARTITION p1 WITH TABLE emails',
      ],
      ...(flavor === 'mariadb' && {
        'it made a partition of another table, and a table again': [
          'ALTER TABLE other DROP PARTITION p1',
          'ALTER TABLE other CONVERT TABLE emails TO PARTITION p1 VALUES LESS THAN (1000)',
          'UPDATE other SET size = 7 WHERE id = 4',
          'ALTER TABLE other CONVERT PARTITION p1 TO TABLE emails',
        ],
      }),
    }))
      it(`${what}, where the server tells the account no numbers of tables`, async () => {
        await test.query('CREATE TABLE other LIKE emails');
        await test.query(
          'ALTER TABLE other PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (1), PARTITION p1 VALUES LESS THAN (1000))',
        );
        await test.query('INSERT INTO other SELECT id, address, size + 1, note FROM emails');
        const { knex } = await createAccount(test, NEEDED, FOR_THE_LOG[flavor]);
        const deeds = async (): Promise<void> => {
          for (const sql of statements) await test.query(sql);
        };
        await ended('LHM_ORIGIN_CHANGED', deeds, {
          knex,
          blindSpots: 'accept',
          cutOver: { oldReadViews: 'ignore' },
        });
      });

    it('rows that differ because a session keeps them out of the log: it is told what that may be', async () => {
      await test.fill(31, 1000);
      const error = await test.failure(ADD_COLUMN, {
        mode: 'binlog',
        hooks: {
          afterRowCopy: async () => {
            const client = await test.connect();
            await client.query('SET SESSION sql_log_bin = 0');
            await client.query('UPDATE emails SET size = size + 1');
          },
        },
      });
      expect(error).to.include({ code: 'LHM_VERIFY_FAILED', outcome: 'rolled-back' });
      expect(error.hint).to.contain('sql_log_bin = 0').and.contain("mode: 'triggers'");
      await expectNoLeaks(test);
    });

    it('a row image without the key', async () => {
      await test.query('ALTER TABLE emails MODIFY id INT NOT NULL DEFAULT 900');
      await ended('LHM_BINLOG_ROW_IMAGE', async () => {
        const client = await test.connect();
        await client.query("SET SESSION binlog_row_image = 'MINIMAL'");
        await client.query("INSERT INTO emails (address, size) VALUES ('x', 1)");
      });
    });

    for (const image of ['MINIMAL', 'NOBLOB'])
      it(`not where the whole server logs ${image} row images, which have the key`, async () => {
        await test.query(`SET GLOBAL binlog_row_image = '${image}'`);
        try {
          const client = await test.connect();
          const hooks: Options['hooks'] = {
            afterRowCopy: async () => {
              await client.query("UPDATE emails SET note = 'meanwhile' WHERE id = 2");
              await client.query('UPDATE emails SET id = 902 WHERE id = 3');
              await client.query('DELETE FROM emails WHERE id = 4');
              await client.query("REPLACE INTO emails (id, address) VALUES (5, 'again')");
            },
          };
          // Without marks that come back nothing is swapped.
          await test.migrate(ADD_COLUMN, { mode: 'binlog', verify: false, hooks });
          const old = (await test.tables()).find((name) => name.includes('_lhmo_'))!;
          expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(old));
          await expectNoLeaks(test);
        } finally {
          await test.query('SET GLOBAL binlog_row_image = DEFAULT');
        }
      });

    it('an XA transaction from before the migration', async () => {
      const client = await test.connect();
      const xid = `'lhm-${test.database}'`;
      for (const sql of [
        `XA START ${xid}`,
        'INSERT INTO emails (id, address, size) VALUES (901, "x", 1)',
        `XA END ${xid}`,
        `XA PREPARE ${xid}`,
      ])
        await client.query(sql);
      await ended('LHM_BINLOG_XA', () => client.query(`XA COMMIT ${xid}`));
    });
  });
}
