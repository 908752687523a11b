import { expect } from 'chai';
import type { Knex } from 'knex';

import { largeHadronMigrate, type LargeHadronOptions } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { Application } from '../support/settings/application';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { expectRefused } from '../support/test-table-refusal';
import { atomicStrategiesOf } from '../support/strategies';
import { intercept } from '../support/test-table-statements';
import { TURNS, writeEverywhere } from '../support/write-everywhere';

/** Sessions that do nothing are ended soon. */
const SHORT_LIVED: Readonly<Record<string, string>> = {
  ...{ wait_timeout: '5', interactive_timeout: '5', net_read_timeout: '1', net_write_timeout: '1' },
};
const SHORT_TRANSACTIONS: Readonly<Record<string, string>> = {
  ...{
    idle_transaction_timeout: '1',
    idle_write_transaction_timeout: '1',
    idle_readonly_transaction_timeout: '1',
  },
};

/** Leaves no room for NULL. */
const NOT_NULL = "MODIFY at TIMESTAMP NOT NULL DEFAULT '2024-01-01 00:00:00'";

/** What cannot be set while a server runs. */
const AT_START = {
  mysql: ['--explicit-defaults-for-timestamp=OFF', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: ['--gtid-strict-mode=ON', '--innodb-autoinc-lock-mode=2', '--old-mode='],
};

for (const { flavor, mode, on, once, itOnce } of serversAndModes()) {
  describe(`odd settings of the server on ${on}`, function () {
    let server: RunningServer;
    let test: TestTable;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    afterEach(() => test.drop());

    it('sessions that do nothing for 5 s are ended, but not those of a migration, which Knex records', async () => {
      test = await TestTable.create(server);
      const globals = { ...SHORT_LIVED, ...(flavor === 'mariadb' ? SHORT_TRANSACTIONS : {}) };
      await test.withGlobals(globals, async () => {
        const idle = await test.connect();
        let ended = false;
        idle.on('error', () => (ended = true));
        const hooks = {
          afterRowCopy: async () => {
            await test.query('UPDATE emails SET size = 7 WHERE id = 7');
            await until('the end of an idle session', () => (ended ? true : undefined));
          },
        };
        const source = {
          getMigrations: () => Promise.resolve(['one']),
          getMigrationName: (name: string) => name,
          getMigration: () =>
            Promise.resolve({
              config: { transaction: false },
              up: (knex: Knex) =>
                largeHadronMigrate('emails', { knex, mode, progress: 'none', hooks }, 'ADD COLUMN x INT'),
              down: () => Promise.resolve(),
            }),
        };
        const knex = test.makeKnex({ pool: { min: 0, max: 1 } });
        await knex.migrate.latest({ migrationSource: source });
        expect(await test.query('SELECT name FROM knex_migrations')).to.deep.equal([{ name: 'one' }]);
        expect(await test.query('SELECT is_locked FROM knex_migrations_lock')).to.deep.equal([
          { is_locked: 0 },
        ]);
      });
      expect((await test.rows())[6]).to.include({ size: 7, x: null });
      await expectNoLeaks(test);
    });

    it('max_allowed_packet 1 MB: rows of nearly that size are copied, converted, compared and written to', async () => {
      test = await TestTable.create(server, {
        columns:
          'id INT PRIMARY KEY, body LONGTEXT, raw LONGBLOB, plain LONGTEXT CHARACTER SET latin1, n INT',
      });
      await test.withGlobal('max_allowed_packet', '1048576', async () => {
        const sql = await test.connect();
        for (let id = 1; id <= 6; id++) {
          await sql.query(
            `INSERT INTO emails VALUES (${id}, REPEAT('ž', 500000), REPEAT(X'00FF', 500000), REPEAT(X'E9', 1000000), ${id})`,
          );
        }
        const { oldTable, verified } = await test.migrate(
          'ADD COLUMN x INT, MODIFY plain LONGTEXT CHARACTER SET utf8mb4',
          {
            ...{ chunk: { rows: 4 }, verify: { rows: 4 } },
            hooks: {
              afterRowCopy: async () => {
                await sql.query(
                  "UPDATE emails SET body = CONCAT('z', SUBSTRING(body, 2)), n = 70 WHERE id = 3",
                );
                await sql.query('UPDATE emails SET id = 9 WHERE id = 4');
              },
            },
          },
        );
        expect(verified.notCompared).to.equal(0);
        const [{ same } = { same: 0 }] = await test.query<{ same: number }>(
          `SELECT COUNT(*) AS same FROM emails JOIN ${oldTable!} AS old USING (id, n)` +
            ' WHERE SHA2(emails.body, 256) = SHA2(old.body, 256) AND SHA2(emails.raw, 256) = SHA2(old.raw, 256)' +
            ' AND emails.plain = CONVERT(old.plain USING utf8mb4) AND LENGTH(emails.plain) = 2000000',
        );
        expect(same).to.equal(6);
      });
      await expectNoLeaks(test);
    });

    it('max_allowed_packet 1 MB: hundreds of the longest keys are written to, and their unique values move', async () => {
      test = await TestTable.create(server, {
        columns:
          'id VARCHAR(700) CHARACTER SET utf8mb4 NOT NULL PRIMARY KEY, place INT NOT NULL, UNIQUE KEY by_place (place)',
      });
      const rows = 240;
      await test.query(
        `INSERT INTO emails WITH RECURSIVE many (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM many WHERE i < ${rows})` +
          " SELECT CONCAT(LPAD(i, 6, '0'), REPEAT('😀', 690)), i - 1 FROM many",
      );
      await test.withGlobal('max_allowed_packet', '1048576', async () => {
        // The second half takes the places of the first, and the first those of the second.
        const move = async (): Promise<void> => {
          await test.query(`UPDATE emails SET place = place + ${rows}`);
          await test.query(`UPDATE emails SET place = MOD(place + ${rows / 2}, ${rows})`);
        };
        const done = intercept(test.knex, {
          ...{ match: / LIMIT 1 OFFSET \d+$/, when: 'after', skip: 1, run: move },
        });
        await test.migrate('ADD COLUMN x INT', {
          ...{ chunk: { rows: rows / 2 }, verify: { rows: 100 } },
          hooks: { afterRowCopy: move },
        });
        expect(done.happened).to.equal(true);
      });
      const places = await test.query<{ place: number }>('SELECT place FROM emails ORDER BY id');
      expect(places.map(({ place }) => place)).to.deep.equal(Array.from({ length: rows }, (_, i) => i));
      await expectNoLeaks(test);
    });

    it('PAD_CHAR_TO_FULL_LENGTH: a CHAR key is found, and written to', async () => {
      test = await TestTable.create(server, {
        columns: 'id CHAR(10) NOT NULL PRIMARY KEY, c CHAR(5) NOT NULL, n INT NOT NULL',
      });
      await test.query(
        "INSERT INTO emails VALUES ('', '', 1), ('a', 'x', 2), ('b', 'y', 3), ('c', 'z', 4), ('d', 'w', 5)",
      );
      await test.withGlobal('sql_mode', "'PAD_CHAR_TO_FULL_LENGTH,STRICT_ALL_TABLES'", async () => {
        const sql = await test.connect();
        await test.migrate('ADD COLUMN v VARCHAR(20) NOT NULL', {
          ...{ chunk: { rows: 2 }, verify: { rows: 2 }, columns: { values: { v: "CONCAT(c, '!')" } } },
          hooks: {
            afterRowCopy: async () => {
              await sql.query("UPDATE emails SET n = n + 10 WHERE RTRIM(id) IN ('', 'b')");
              await sql.query("UPDATE emails SET id = 'e' WHERE RTRIM(id) = 'c'");
            },
          },
        });
      });
      expect((await test.rows()).map(({ id, n, v }) => [id, n, v])).to.deep.equal([
        ['', 11, '     !'],
        ['a', 2, 'x    !'],
        ['b', 13, 'y    !'],
        ['d', 5, 'w    !'],
        ['e', 4, 'z    !'],
      ]);
      await expectNoLeaks(test);
    });

    if (flavor === 'mariadb') {
      itOnce('max_statement_time: statements of the migration may take longer', async () => {
        test = await TestTable.create(server);
        await test.withGlobal('max_statement_time', '0.3', async () => {
          const started = performance.now();
          await test.migrate('ADD COLUMN x INT', { columns: { values: { x: '1 + SLEEP(0.02)' } } });
          expect(performance.now() - started).to.be.above(600);
        });
        expect(await test.query('SELECT COUNT(*) AS n FROM emails WHERE x = 1')).to.deep.equal([{ n: 30 }]);
        await expectNoLeaks(test);
      });

      for (const [sqlMode, value] of once([
        ['ORACLE', "address || note || '.'"],
        ['EMPTY_STRING_IS_NULL', "COALESCE(note, '')"],
      ] as const)) {
        it(`${sqlMode}: a value that means another thing there is refused`, async () => {
          test = await TestTable.create(server);
          const options: Partial<LargeHadronOptions> = { columns: { values: { x: value } } };
          await test.withGlobal('sql_mode', `'${sqlMode}'`, () =>
            expectRefused(test, { code: 'LHM_BAD_VALUES', phase: 'clone', says: new RegExp(sqlMode) }, () =>
              test.failure('ADD COLUMN x VARCHAR(200)', options),
            ),
          );
        });
      }
    } else {
      itOnce('tables in the system tablespace: one in a file of its own stays in one', async () => {
        test = await TestTable.create(server);
        await test.withGlobal('innodb_file_per_table', '0', () =>
          test.migrate('MODIFY size BIGINT NOT NULL'),
        );
        const spaces = await test.query<{ kind: string }>(
          'SELECT SPACE_TYPE AS kind FROM information_schema.INNODB_TABLES WHERE NAME = ?',
          [`${test.database}/emails`],
        );
        expect(spaces).to.deep.equal([{ kind: 'Single' }]);
        expect(await test.rows()).to.have.length(30);
        await expectNoLeaks(test);
      });

      describe('for an account that may not change them', () => {
        const user = `lhm_plain_${process.pid}`;
        let knex: Knex;

        beforeEach(async () => {
          test = await TestTable.create(server, {
            columns: 'code INT NOT NULL, n INT, UNIQUE KEY by_code (code)',
          });
          await test.query('INSERT INTO emails VALUES (1, 10), (2, 20)');
          await test.query(`CREATE USER ${user}@'%' IDENTIFIED BY 'secret'`);
          await test.query(`GRANT ALL ON ${test.database}.* TO ${user}@'%'`);
          const log = mode === 'binlog' ? ', REPLICATION SLAVE, REPLICATION CLIENT' : '';
          await test.query(`GRANT PROCESS${log} ON *.* TO ${user}@'%'`);
          knex = test.makeKnex({}, { user, password: 'secret' });
        });
        afterEach(async () => {
          await test.closeClients();
          await test.query(`DROP USER ${user}@'%'`);
        });

        const plain = <T>(name: string, value: string, work: () => Promise<T>): Promise<T> =>
          test.withGlobals({ [name]: value, log_bin_trust_function_creators: '1' }, work);

        itOnce('sql_require_primary_key: a table without one is refused, as by an ALTER', async () => {
          const expected = {
            code: 'LHM_ALTER_FAILED',
            phase: 'clone',
            hints: /SESSION_VARIABLES_ADMIN/,
          } as const;
          await plain('sql_require_primary_key', '1', () =>
            expectRefused(test, expected, () => test.failure('MODIFY n BIGINT', { knex })),
          );
        });

        itOnce('sql_generate_invisible_primary_key: the new table gets none, as by an ALTER', async () => {
          await plain('sql_generate_invisible_primary_key', '1', () =>
            test.migrate('MODIFY n BIGINT', { knex }),
          );
          expect(await test.definition()).not.to.contain('my_row_id');
          expect((await test.rows()).map(({ n }) => n)).to.deep.equal([10, 20]);
          await expectNoLeaks(test);
        });
      });
    }

    for (const explicit of once(['0', '1'])) {
      it(`explicit_defaults_for_timestamp ${explicit}: of a NULL where none fits no moment is invented`, async () => {
        test = await TestTable.create(server, { columns: 'id INT PRIMARY KEY, at TIMESTAMP NULL' });
        await test.query("INSERT INTO emails VALUES (1, '2024-02-03 04:05:06')");
        await test.withGlobal('explicit_defaults_for_timestamp', explicit, async () => {
          const late = {
            afterRowCopy: () => test.query('INSERT INTO emails VALUES (2, NULL)').then(() => undefined),
          };
          const error = await test.failure(NOT_NULL, { hooks: late });
          expect(error, error.message).to.include({ code: 'LHM_DATA_WOULD_BE_LOST', outcome: 'rolled-back' });
          expect(error.message).to.match(/\(id = 2\).*'at'.*NULL/);
          expect((await test.rows()).map(({ at }) => at)).to.deep.equal(['2024-02-03 04:05:06', null]);
          const again = await test.failure(NOT_NULL, { columns: { values: { at: 'NULLIF(at, 0)' } } });
          expect(again, again.message).to.include({ code: 'LHM_DATA_WOULD_BE_LOST', outcome: 'rolled-back' });
          await test.migrate(NOT_NULL, { columns: { values: { at: "COALESCE(at, '2000-01-01')" } } });
        });
        expect((await test.rows()).map(({ at }) => at)).to.deep.equal([
          '2024-02-03 04:05:06',
          '2000-01-01 00:00:00',
        ]);
        await test.query('ALTER TABLE emails MODIFY at TIMESTAMP NULL');
        await test.query('UPDATE emails SET at = NULL WHERE id = 2');
        await test.migrate(NOT_NULL, { columns: { allowDataLoss: true } });
        await expectNoLeaks(test);
      });
    }

    it('checks off: rows inserted in bulk into an empty table, kept and rolled back, arrive and are gone', async () => {
      test = await TestTable.create(server, { rows: 0 });
      await test.query('DELETE FROM emails');
      await test.withGlobals({ unique_checks: '0', foreign_key_checks: '0' }, async () => {
        const sql = await test.connect();
        const other = await test.connect();
        const insert = (from: number): string =>
          `INSERT INTO emails (id, address) VALUES ${[0, 1, 2].map((i) => `(${from + i}, 'a${from + i}')`).join(', ')}`;
        const write = async (from: number): Promise<void> => {
          await sql.query('START TRANSACTION');
          await sql.query(insert(from));
          await sql.query('ROLLBACK');
          await other.query(insert(from + 10));
          await sql.query(insert(from + 20));
        };
        await test.migrate('ADD COLUMN x INT', {
          hooks: {
            beforeRowCopy: () => write(100),
            afterRowCopy: () => write(200),
            beforeCutOver: () => write(300),
          },
        });
      });
      const ids = (await test.rows()).map(({ id }) => id);
      expect(ids).to.deep.equal(
        [100, 200, 300].flatMap((from) => [10, 11, 12, 20, 21, 22].map((i) => from + i)),
      );
      await expectNoLeaks(test);
    });
  });

  describe(`settings that a server is started with on ${on}`, function () {
    let server: RunningServer;
    before(async () => {
      server = await startServer(flavor, {
        mode,
        args: [
          ...AT_START[flavor],
          '--innodb-rollback-on-timeout=ON',
          ...(flavor === 'mysql' ? ['--innodb-autoinc-lock-mode=0'] : []),
          // Refused where the log is read.
          ...(mode === 'triggers' ? ['--binlog-format=MIXED'] : []),
          '--character-set-server=latin1',
          ...(flavor === 'mariadb' ? ['--skip-character-set-client-handshake'] : []),
          '--auto-increment-increment=5',
        ],
      });
    });
    after(() => server.stop());

    for (const strategy of atomicStrategiesOf(flavor)) {
      it(`come out as a native ALTER, with every write, swapped by ${strategy}`, async () => {
        const application = await Application.create(server, TURNS);
        const { test } = application;
        try {
          const alter =
            "ADD COLUMN x INT NULL, ADD COLUMN seen TIMESTAMP DEFAULT '2024-02-03 04:05:06', MODIFY c VARCHAR(20) NOT NULL";
          const writing = writeEverywhere(
            test,
            (turn) => application.write(turn),
            () => application.insertLast(),
          );
          await test.migrate(alter, {
            ...{ chunk: { rows: 5 }, verify: { rows: 10 }, cutOver: { strategy } },
            hooks: writing.hooks,
          });
          await writing.done();
          await application.alterTwin(alter);
          await application.expectSame();
          await expectNoLeaks(test);
        } finally {
          await test.drop();
        }
      });
    }
  });
}
