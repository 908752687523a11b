import { expect } from 'chai';
import { createHash } from 'node:crypto';

import { expectNoLeaks } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startPrimaryWithReplica, startServer, type RunningServer } from '../support/servers';
import { BERLIN } from '../support/settings/berlin';
import { sabotage } from '../support/saboteur';
import { failureOf, TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { intercept } from '../support/test-table-statements';
import { largeHadronMigrate } from '../../lib';

for (const { flavor, mode, on, every, once, itOnce } of serversAndModes()) {
  describe(`hostile conditions on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    // Only that mode has triggers of its own.
    const itWithTriggers = mode === 'triggers' ? it : (): void => undefined;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    afterEach(() => test.drop());

    describe('of the account and the server', () => {
      beforeEach(async () => (test = await TestTable.create(server)));

      itOnce('a foreign key leads here from a schema that the account may not see: refused', async () => {
        const user = `lhm_blind_${process.pid}`;
        const hidden = `${test.database}_hidden`;
        await test.query(`CREATE DATABASE ${hidden}`);
        await test.query(
          `CREATE TABLE ${hidden}.children (id INT PRIMARY KEY, email INT UNSIGNED, FOREIGN KEY (email) REFERENCES ${test.database}.emails (id))`,
        );
        await test.query(`CREATE USER ${user}@'%' IDENTIFIED BY 'secret'`);
        await test.query(`GRANT ALL ON ${test.database}.* TO ${user}@'%'`);
        await test.query(`GRANT PROCESS, SUPER, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${user}@'%'`);
        try {
          const knex = test.makeKnex({}, { user, password: 'secret' });
          const error = await test.failure('ADD COLUMN x INT', { knex });
          expect(error).to.include({ code: 'LHM_FOREIGN_KEYS', outcome: 'untouched' });
          expect(error.message).to.contain(`${hidden}.children`);
        } finally {
          await test.closeClients();
          await test.query(`DROP USER ${user}@'%'`);
          await test.query(`DROP DATABASE ${hidden}`);
        }
      });

      it('global sql_select_limit: no column is passed over', async () => {
        const rows = await test.rows();
        await test.withGlobal('sql_select_limit', '3', () =>
          test.migrate('ADD COLUMN x INT', { chunk: { rows: 4 } }),
        );
        expect(without(await test.rows(), 'x')).to.deep.equal(rows);
      });

      itOnce('PIPES_AS_CONCAT: a value is what the same expression is to the application', async () => {
        const mode = "'PIPES_AS_CONCAT,STRICT_TRANS_TABLES'";
        await test.withGlobal('sql_mode', mode, () =>
          test.migrate('ADD COLUMN x VARCHAR(200)', { columns: { values: { x: "address || '/' || id" } } }),
        );
        expect((await test.rows())[0]).to.include({ x: 'a1@example.org/1' });
      });

      itOnce(
        'ANSI_QUOTES and NO_BACKSLASH_ESCAPES: a value that means another thing there is refused',
        async () => {
          for (const [mode, value] of [
            ['ANSI_QUOTES', '"address"'],
            ['NO_BACKSLASH_ESCAPES', "'a\\\\b'"],
          ]) {
            const error = await test.withGlobal('sql_mode', `'${mode!}'`, () =>
              test.failure('ADD COLUMN x VARCHAR(200)', { columns: { values: { x: value! } } }),
            );
            expect(error).to.include({ code: 'LHM_BAD_VALUES' });
            expect(error.message).to.contain(mode);
          }
          await expectNoLeaks(test);
        },
      );

      for (const [what, definer, grant] of [
        ['does not exist', 'lhm_nobody@localhost', false],
        ['may not write', 'lhm_weak@localhost', true],
      ] as const) {
        itWithTriggers(`a definer that ${what}: refused, and the application writes on`, async () => {
          if (grant) await test.query("CREATE USER lhm_weak@localhost IDENTIFIED BY 'x'");
          try {
            const error = await test.failure('ADD COLUMN x INT', { triggers: { definer } });
            expect(error.code).to.equal('LHM_BAD_DEFINER');
            expect(error.leftovers).to.deep.equal([]);
            await expectWritable(test);
            await expectNoLeaks(test);
          } finally {
            if (grant) await test.query('DROP USER lhm_weak@localhost');
          }
        });
      }

      itWithTriggers('a definer that may: the triggers run as it', async () => {
        await test.query("CREATE USER lhm_strong@localhost IDENTIFIED BY 'x'");
        await test.query(`GRANT ALL ON ${test.database}.* TO lhm_strong@localhost`);
        try {
          let definers: string[] = [];
          await test.migrate('ADD COLUMN x INT', {
            triggers: { definer: 'lhm_strong@localhost' },
            hooks: {
              afterRowCopy: async () => {
                const rows = await test.query<{ Definer: string }>('SHOW TRIGGERS');
                definers = rows.map((row) => row.Definer);
                await test.query('UPDATE emails SET size = 5 WHERE id = 3');
              },
            },
          });
          expect(definers).to.deep.equal(Array(4).fill('lhm_strong@localhost'));
          expect((await test.rows())[2]).to.include({ size: 5 });
        } finally {
          await test.query('DROP USER lhm_strong@localhost');
        }
      });

      for (const strategy of flavor === 'mysql'
        ? (['rename-under-lock', 'sentry'] as const)
        : ['sentry' as const]) {
        it(`a lock that comes late: the account is not tried while it is held (${strategy})`, async () => {
          // Longer than from one trial to the next, and with changes that are left for the lock.
          const late = async (): Promise<void> => {
            await test.query('UPDATE emails SET size = 5 WHERE id IN (3, 4)');
            await test.query('DO SLEEP(1.3)');
          };
          const underLock: string[] = [];
          sabotage(test.knex, (sql, locked) => {
            if (locked && /^UPDATE \S+_lhms` /.test(sql)) underLock.push(sql);
            return sql;
          });
          const waited = intercept(test.knex, { match: /^LOCK TABLES .*_lhmn/, when: 'before', run: late });
          const columns = { values: { x: 'size * 2' } };
          const { cutOver } = await test.migrate('ADD COLUMN x INT', { columns, cutOver: { strategy } });
          expect(waited.happened).to.equal(true);
          expect(cutOver.attempts).to.equal(1);
          // MariaDB was seen to refuse it then (1442), which ended the migration.
          expect(underLock).to.deep.equal([]);
        });
      }

      for (const [when, drop] of [
        ['rows are copied', 'chunk'],
        ['the cut-over waits', 'cut-over'],
      ] as const) {
        itWithTriggers(
          `a definer that is dropped while ${when}: noticed, and the application writes on`,
          async () => {
            await test.query("CREATE USER lhm_brief@localhost IDENTIFIED BY 'x'");
            await test.query(`GRANT ALL ON ${test.database}.* TO lhm_brief@localhost`);
            const holder = await test.connect();
            const dropUser = (): Promise<void> =>
              test.query('DROP USER lhm_brief@localhost').then(() => undefined);
            const hold = async (): Promise<void> => {
              await holder.query('START TRANSACTION');
              await holder.query('SELECT COUNT(*) FROM emails');
              await dropUser();
            };
            if (drop === 'chunk') {
              intercept(test.knex, {
                match: /^INSERT INTO \S+_lhmn`/,
                when: 'before',
                skip: 2,
                run: dropUser,
              });
            }
            // The triggers can go when nobody holds the table any more.
            const release = (): Promise<void> => holder.query('ROLLBACK').then(() => undefined);
            intercept(test.knex, { match: /^DROP TRIGGER/, when: 'before', run: release });
            const error = await test.failure('ADD COLUMN x INT', {
              ...{ chunk: { rows: 7 }, triggers: { definer: 'lhm_brief@localhost' }, giveUpAfterMs: false },
              hooks: drop === 'chunk' ? {} : { beforeCutOver: hold },
            });
            expect(error).to.include({ code: 'LHM_BAD_DEFINER', outcome: 'rolled-back' });
            await expectWritable(test);
            await expectNoLeaks(test);
          },
        );
      }
    });

    describe('of the change', () => {
      beforeEach(async () => (test = await TestTable.create(server)));

      const refusals: readonly (readonly [alter: string, code: string, options?: Options])[] = [
        ['ENGINE = MyISAM', 'LHM_UNSUPPORTED_ENGINE'],
        ['ADD SYSTEM VERSIONING', 'LHM_ALTER_UNSUPPORTED'],
        ['MODIFY address BIT(8) NULL', 'LHM_CONVERSION_UNSUPPORTED'],
        ['MODIFY size DATETIME NULL', 'LHM_CONVERSION_UNSUPPORTED'],
        ["MODIFY size ENUM('off', '1', '2') NULL", 'LHM_CONVERSION_UNSUPPORTED'],
        ['ADD COLUMN x INT', 'LHM_BAD_VALUES', { columns: { values: { x: '(SELECT 1)' } } }],
      ];
      for (const [alter, code, options] of once(refusals)) {
        it(`${alter}${options ? ' with a subquery' : ''} is refused with ${code}`, async () => {
          const error = await test.failure(alter, options);
          expect(error, error.message).to.include({ code, outcome: 'untouched' });
          await expectNoLeaks(test);
        });
      }

      itOnce('a value may speak of select without being one', async () => {
        const values = { x: "CONCAT('please select ', id)" };
        await test.migrate('ADD COLUMN x VARCHAR(90)', { columns: { values } });
        expect((await test.rows())[0]).to.include({ x: 'please select 1' });
      });

      itOnce('text with zeros in a date stops a conversion where an ALTER would', async () => {
        await test.query("UPDATE emails SET note = '2024-05-06'");
        await test.query("UPDATE emails SET note = '2024-05-00' WHERE id = 9");
        await test.withGlobal('sql_mode', "'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE'", async () => {
          const error = await test.failure('MODIFY note DATE NULL');
          expect(error.code).to.equal('LHM_DATA_WOULD_BE_LOST');
          expect(error.message).to.contain('(id = 9)');
        });
      });

      itOnce(
        'a new NOT NULL date under NO_ZERO_DATE is refused, as by an ALTER, unless it is given a value',
        async () => {
          await test.withGlobal('sql_mode', "'STRICT_TRANS_TABLES,NO_ZERO_DATE'", async () => {
            const error = await test.failure('ADD COLUMN x DATE NOT NULL');
            expect(error).to.include({ code: 'LHM_BAD_VALUES', outcome: 'untouched' });
            const values = { x: "'2024-02-03'" };
            await test.migrate('ADD COLUMN x DATE NOT NULL', { columns: { values } });
          });
          expect((await test.rows())[0]).to.include({ x: '2024-02-03' });
        },
      );

      // MySQL rounds it in an ALTER, too.
      const itRefuses = flavor === 'mariadb' ? itOnce : null;
      itRefuses?.('text that is no whole number stops a conversion to INT', async () => {
        await test.query("UPDATE emails SET note = '12'");
        await test.query("UPDATE emails SET note = '12.7' WHERE id = 9");
        const error = await test.failure('MODIFY note INT NULL');
        expect(error.code).to.equal('LHM_DATA_WOULD_BE_LOST');
        expect(error.message).to.contain('(id = 9)');
      });

      itOnce('SET in the alter function is not carried into the copy', async () => {
        await test.migrate(async (_t, ctx) => {
          await ctx.raw("SET SESSION time_zone = '-11:00', autocommit = 1, unique_checks = 0, sql_mode = ''");
          await ctx.raw('ALTER TABLE ?? ADD COLUMN x DATETIME NULL', [ctx.ghostTable]);
          ctx.values['x'] = 'FROM_UNIXTIME(0)';
        });
        const [row] = await test.query('SELECT x, FROM_UNIXTIME(0) AS here FROM emails LIMIT 1');
        expect(row?.['x']).to.equal(String(row?.['here']).slice(0, 19));
      });
    });

    describe('of the table', () => {
      itOnce('a VARCHAR key that gets shorter is not usable as the key', async () => {
        test = await TestTable.create(server, { columns: 'id VARCHAR(20) NOT NULL PRIMARY KEY, n INT' });
        await test.query("INSERT INTO emails VALUES ('a', 1)");
        expect((await test.failure('MODIFY id VARCHAR(5) NOT NULL')).code).to.equal('LHM_NO_USABLE_KEY');
        await test.migrate('MODIFY id VARCHAR(30) NOT NULL');
      });

      for (const table of every(2, ['emails', 'größe', 'письма', '表', 'a-b $', 'p#q'])) {
        it(`a TRUNCATE of '${table}' that leaves the same first and last row is noticed`, async () => {
          test = await TestTable.create(server, { table, columns: 'id INT PRIMARY KEY, n INT' });
          const name = `\`${table}\``;
          await test.query(`INSERT INTO ${name} VALUES (1, 1), (2, 2), (3, 3)`);
          const error = await test.failure('ADD COLUMN x INT', {
            hooks: {
              beforeCutOver: async () => {
                await test.query(`TRUNCATE TABLE ${name}`);
                await test.query(`INSERT INTO ${name} VALUES (1, 1), (3, 3)`);
              },
            },
          });
          expect(error.code).to.equal('LHM_ORIGIN_CHANGED');
          expect(await test.rows()).to.have.length(2);
          await expectNoLeaks(test);
        });
      }

      itOnce("rows too wide for the server's default row format are converted", async () => {
        const columns = Array.from({ length: 40 }, (_, i) => `t${i} TEXT`).join(', ');
        test = await TestTable.create(server, { columns: 'id INT PRIMARY KEY, n INT' });
        await test.query(`DROP TABLE emails`);
        await test.query(`CREATE TABLE emails (id INT PRIMARY KEY, n INT, ${columns}) ROW_FORMAT = DYNAMIC`);
        await test.query('INSERT INTO emails (id, n) VALUES (1, 1)');
        await test.query(
          `UPDATE emails SET ${Array.from({ length: 40 }, (_, i) => `t${i} = REPEAT('x', 800)`).join(', ')}`,
        );
        await test.withGlobal('innodb_default_row_format', "'compact'", () =>
          test.migrate('MODIFY n BIGINT'),
        );
        expect(await test.definition()).to.contain('bigint');
      });

      if (flavor === 'mysql') {
        it('a table in a tablespace of its own name is written to meanwhile', async () => {
          const space = `space_${process.pid}`;
          test = await TestTable.create(server);
          await test.query(`CREATE TABLESPACE ${space} ADD DATAFILE '${space}.ibd'`);
          await test.query(`ALTER TABLE emails TABLESPACE ${space}`);
          const { oldTable } = await test.migrate('ADD COLUMN x INT', {
            hooks: {
              afterRowCopy: () =>
                test.query("INSERT INTO emails (address) VALUES ('new')").then(() => undefined),
            },
          });
          expect(await test.rows()).to.have.length(31);
          await test.query(`DROP TABLE emails, ${oldTable!}`);
          await test.query(`DROP TABLESPACE ${space}`);
        });

        it('a generated primary key that is not shown is kept', async () => {
          test = await TestTable.create(server);
          await test.query('SET SESSION sql_generate_invisible_primary_key = 1');
          await test.query('DROP TABLE emails');
          await test.query('CREATE TABLE emails (n INT)');
          await test.query('ALTER TABLE emails ADD COLUMN code INT NOT NULL UNIQUE');
          await test.query('INSERT INTO emails (n, code) VALUES (1, 1), (2, 2)');
          await test.withGlobal('show_gipk_in_create_table_and_information_schema', '0', () =>
            test.migrate('ADD COLUMN x INT'),
          );
          expect(await test.definition()).to.contain('PRIMARY KEY (`my_row_id`)');
        });
      }

      it('long values are compared, too', async () => {
        test = await TestTable.create(server, { columns: 'id INT PRIMARY KEY, body LONGTEXT, raw LONGBLOB' });
        await test.withGlobal('max_allowed_packet', '1048576', async () => {
          const long = "REPEAT('x', 1000000)";
          await test.query(`INSERT INTO emails VALUES (1, ${long}, ${long}), (2, 'y', 'y')`);
          for (const column of ['body', 'raw']) {
            await test
              .query(`UPDATE emails SET ${column} = CONCAT(${column}, ${column}) WHERE id = 1`)
              .catch(() => undefined);
          }
          const { oldTable } = await test.migrate('ADD COLUMN x INT', {
            hooks: {
              // The verification must see it, and repair it.
              afterRowCopy: () =>
                test
                  .query(
                    "UPDATE emails_lhmn SET body = CONCAT('z', SUBSTRING(body, 2)), raw = 'z' WHERE id = 1",
                  )
                  .then(() => undefined),
            },
          });
          const differing = await test.query(
            `SELECT id FROM emails JOIN ${oldTable!} AS old USING (id) WHERE emails.body <> old.body OR emails.raw <> old.raw`,
          );
          expect(differing).to.deep.equal([]);
        });
      });

      it('dates of zeros and days that there are not are found in the key', async () => {
        test = await TestTable.create(server, { columns: 'day DATE NOT NULL PRIMARY KEY, n INT' });
        await test.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'");
        await test.query(
          "INSERT INTO emails VALUES ('0000-00-00', 1), ('2024-01-01', 2), ('2024-02-30', 3), ('2024-02-31', 4), ('2024-03-02', 5)",
        );
        await test.migrate('ADD COLUMN x INT', {
          chunk: { rows: 2 },
          hooks: { afterRowCopy: () => test.query('UPDATE emails SET n = n + 1').then(() => undefined) },
        });
        expect((await test.rows()).map((row) => row['n'])).to.deep.equal([2, 3, 4, 5, 6]);
      });

      for (const [what, columns, more] of [
        ['partitions', 'id INT PRIMARY KEY, v VARCHAR(20), n INT', 'PARTITION BY HASH (id) PARTITIONS 3'],
        ['a FULLTEXT index', 'id INT PRIMARY KEY, v VARCHAR(20), n INT, FULLTEXT KEY words (v)', ''],
        ['compression', 'id INT PRIMARY KEY, v VARCHAR(20), n INT', 'ROW_FORMAT = COMPRESSED'],
      ] as const) {
        it(`a table with ${what} is converted and given a unique key`, async () => {
          test = await TestTable.create(server, { columns });
          await test.query('ALTER TABLE emails ADD UNIQUE KEY by_n (id, n)');
          if (more !== '') await test.query(`ALTER TABLE emails ${more}`);
          for (let i = 1; i <= 20; i++) await test.query(`INSERT INTO emails VALUES (${i}, 'v${i}', ${i})`);
          const { oldTable } = await test.migrate('MODIFY v VARCHAR(40), MODIFY n BIGINT', {
            chunk: { rows: 6 },
            hooks: {
              afterRowCopy: () => test.query('UPDATE emails SET n = 21 - n').then(() => undefined),
            },
          });
          expect(await test.rows()).to.deep.equal(await test.rows(oldTable!));
          await expectNoLeaks(test);
        });
      }

      describe('whose every key holds a TIMESTAMP, where clocks are turned back', () => {
        beforeEach(async () => {
          test = await TestTable.create(server, {
            columns:
              'tenant INT NOT NULL, ts TIMESTAMP NOT NULL, other TIMESTAMP NULL, n INT, PRIMARY KEY (tenant, ts)',
          });
          for (const sql of BERLIN) await test.query(sql);
          await test.query("SET SESSION time_zone = '+00:00'");
          // 00:30 and 01:30 UTC are both 02:30 in Berlin.
          await test.query(
            "INSERT INTO emails VALUES (1, '2024-10-27 00:30:00', '2024-10-27 01:30:00', 1), (2, '2024-10-27 01:30:00', NULL, 2), (3, '2024-01-01 00:00:00', NULL, 3)",
          );
        });

        const instants = (): Promise<unknown[]> =>
          test.query(
            'SELECT tenant, UNIX_TIMESTAMP(ts) AS ts, UNIX_TIMESTAMP(other) AS other, n FROM emails ORDER BY 1',
          );

        it('moves of a row within the hour that comes twice are not lost', async () => {
          let were: unknown[] = [];
          await test.withGlobal('time_zone', "'Europe/Berlin'", () =>
            test.migrate('ADD COLUMN x INT', {
              hooks: {
                beforeCutOver: async () => {
                  const berlin = await test.connect();
                  await berlin.query('UPDATE emails SET ts = other WHERE tenant = 1');
                  await berlin.query(
                    'INSERT INTO emails (tenant, ts, n) SELECT 4, other, 4 FROM emails WHERE tenant = 1',
                  );
                  were = await instants();
                },
              },
            }),
          );
          expect(were).to.have.length(4);
          expect(await instants()).to.deep.equal(were);
        });

        const dependent: readonly (readonly [
          what: string,
          alter: string,
          says: RegExp,
          options?: Options,
        ])[] = [
          ['a conversion', 'MODIFY other DATETIME NULL', /the conversion of 'other'/],
          [
            ...(['a value', 'ADD COLUMN x INT', /the value of 'x'/] as const),
            { columns: { values: { x: 'HOUR(other)' } } },
          ],
          [
            'a default',
            "ADD COLUMN x TIMESTAMP NOT NULL DEFAULT '2024-07-01 12:00:00'",
            /the default of 'x'/,
          ],
          ['a stored column', 'ADD COLUMN x INT AS (n * 2) STORED', /the stored column 'x'/],
          ...(flavor === 'mysql'
            ? ([['an index over an expression', 'ADD INDEX twice ((n * 2))', /the index 'twice'/]] as const)
            : []),
        ];
        for (const [what, alter, says, options] of once(dependent)) {
          it(`${what} that depends on the time zone is refused, and made under a fixed one`, async () => {
            const before = await test.snapshot();
            await test.withGlobal('time_zone', "'Europe/Berlin'", async () => {
              const error = await test.failure(alter, options);
              expect(error).to.include({ code: 'LHM_TIME_ZONE', outcome: 'untouched', phase: 'clone' });
              expect(error.message).to.match(says);
              expect(await test.snapshot()).to.deep.equal(before);
              await test.query(/SET GLOBAL time_zone = '[^']*'/.exec(error.hint)![0]);
              await test.migrate(alter, { ...options, knex: test.makeKnex() });
            });
            await expectNoLeaks(test);
          });
        }
      });

      it('TIMESTAMPs outside the key keep the hour that comes twice, and convert as in the time zone', async () => {
        test = await TestTable.create(server, {
          columns: 'id INT PRIMARY KEY, ts TIMESTAMP NULL, t2 TIMESTAMP NULL',
        });
        for (const sql of BERLIN) await test.query(sql);
        await test.query("SET SESSION time_zone = '+00:00'");
        await test.query(
          "INSERT INTO emails VALUES (1, '2024-10-27 00:30:00', '2024-10-27 00:30:00'), (2, '2024-10-27 01:30:00', '2024-10-27 01:30:00')",
        );
        await test.withGlobal('time_zone', "'Europe/Berlin'", () =>
          test.migrate('MODIFY t2 DATETIME NULL', {
            hooks: {
              afterRowCopy: () =>
                test.query('INSERT INTO emails SELECT id + 10, ts, t2 FROM emails').then(() => undefined),
            },
          }),
        );
        const rows = await test.query(
          'SELECT UNIX_TIMESTAMP(ts) AS ts, CAST(t2 AS CHAR) AS t2 FROM emails ORDER BY id',
        );
        const expected = [1_729_989_000, 1_729_992_600].map((ts) => ({ ts, t2: '2024-10-27 02:30:00' }));
        expect(rows).to.deep.equal([...expected, ...expected]);
      });
    });

    describe('of others', () => {
      beforeEach(async () => (test = await TestTable.create(server)));

      for (const [what, table, statement] of once([
        ['the ghost', 'emails_lhmn', /^CREATE TABLE .*_lhmn/],
        ['the state table', 'emails_lhms', /^CREATE TABLE .*_lhms/],
      ] as const)) {
        it(`somebody takes the name of ${what} at the last moment: it is not touched`, async () => {
          const done = intercept(test.knex, {
            ...{ match: statement, when: 'before' },
            run: async () => {
              await test.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, precious VARCHAR(10))`);
              await test.query(`INSERT INTO ${table} VALUES (1, 'gold')`);
            },
          });
          const error = await test.failure('ADD COLUMN x INT');
          expect(done.happened).to.equal(true);
          expect(error.code).to.equal('LHM_NAME_TAKEN');
          expect(await test.rows(table)).to.deep.equal([{ id: 1, precious: 'gold' }]);
          expect(error.leftovers).to.deep.equal([]);
          await expectNoLeaks(test, [table]);
        });
      }

      it('the state table is dropped: the migration stops, and everything else goes, too', async () => {
        const error = await test.failure('ADD COLUMN x INT', {
          hooks: { afterRowCopy: () => test.query('DROP TABLE emails_lhms').then(() => undefined) },
        });
        expect(error.outcome).to.equal('rolled-back');
        expect(error.leftovers).to.deep.equal([]);
        await expectNoLeaks(test);
        await expectWritable(test);
      });

      itWithTriggers('a run that was killed while it tried its definer keeps no later one away', async () => {
        const done = intercept(test.knex, {
          ...{ match: /^CREATE DEFINER .* ON .*_lhms/, when: 'after' },
          // As a kill would: nothing of the run cleans up.
          run: async (id) => {
            await test.query('CREATE TABLE kept LIKE emails_lhms');
            await test.query('INSERT INTO kept SELECT * FROM emails_lhms');
            await test.query(`KILL ${id}`);
          },
        });
        await test.failure('ADD COLUMN x INT', { triggers: { definer: 'lhm_nobody@localhost' } });
        expect(done.happened).to.equal(true);
        await test.query('RENAME TABLE kept TO emails_lhms');
        await test.query(
          'CREATE DEFINER = lhm_nobody@localhost TRIGGER emails_lhms AFTER UPDATE ON emails_lhms FOR EACH ROW INSERT INTO gone VALUES (1)',
        );
        await test.migrate('ADD COLUMN x INT');
        await expectNoLeaks(test);
      });

      itWithTriggers('a trigger that was dropped and made again has missed something', async () => {
        const error = await test.failure('ADD COLUMN x INT', {
          hooks: {
            beforeCutOver: async () => {
              const [row] = await test.query<Record<string, string>>('SHOW CREATE TRIGGER emails_lhmu');
              await test.query('DROP TRIGGER emails_lhmu');
              await test.query('UPDATE emails SET size = 77 WHERE id = 7');
              await test.query("SET SESSION sql_mode = ''");
              await test.query(row!['SQL Original Statement']!);
            },
          },
        });
        expect(error).to.include({ code: 'LHM_TRIGGERS_CHANGED', outcome: 'rolled-back' });
        await expectNoLeaks(test);
      });

      for (const when of every(2, ['afterRowCopy', 'beforeCutOver'] as const)) {
        it(`a run that has lost its lock leaves its successor alone (in ${when})`, async () => {
          const name = createHash('sha256').update(`${test.database}\0emails`).digest('hex').slice(0, 40);
          let wake = (): void => undefined;
          const woken = new Promise<void>((resolve) => (wake = resolve));
          let asleep = (): void => undefined;
          const sleeping = new Promise<void>((resolve) => (asleep = resolve));
          const first = failureOf(
            test.migrate('ADD COLUMN first INT', {
              knex: test.makeKnex(),
              hooks: {
                afterRowCopy: () => {
                  asleep();
                  return woken;
                },
              },
            }),
          );
          await sleeping;
          const [holder] = await test.query<{ id: number }>('SELECT IS_USED_LOCK(?) AS id', [`lhm:${name}`]);
          await test.query(`KILL ${holder!.id}`);
          await until('the end of the lock', async () => {
            const [row] = await test.query<{ free: number }>('SELECT IS_FREE_LOCK(?) AS free', [
              `lhm:${name}`,
            ]);
            return Number(row?.free) === 1 ? true : undefined;
          });
          await test.migrate('ADD COLUMN second INT', {
            hooks: {
              [when]: async () => {
                wake();
                expect(await first).to.include({ code: 'LHM_OWNERSHIP_LOST', outcome: 'rolled-back' });
                await test.query('UPDATE emails SET size = 78 WHERE id = 8');
              },
            },
          });
          expect((await test.rows())[7]).to.include({ size: 78 });
          expect(await test.definition()).to.contain('`second`');
          await expectNoLeaks(test);
        });
      }

      itOnce('a progress function whose promise rejects ends nothing', async () => {
        const progress = (() => Promise.reject(new Error('of the caller'))) as () => void;
        await test.migrate('ADD COLUMN x INT', { progress });
      });

      itOnce(
        'a reader of the new table at the swap holds nobody up for longer than cutOver.lockTimeoutMs',
        async () => {
          const reader = await test.connect();
          const application = await test.connect();
          let reading: Promise<unknown> = Promise.resolve();
          let waited: Promise<unknown> = Promise.resolve();
          let answered = false;
          let readerEnded = false;
          const done = intercept(test.knex, {
            ...{ match: /^RENAME TABLE/, when: 'before' },
            run: async () => {
              reading = reader.query('SELECT SLEEP(8) FROM emails_lhmn LIMIT 1').then(() => {
                readerEnded = true;
              });
              // It waits for the lock that the cut-over holds, and gets its turn when that is released.
              await until('the reader', async () => {
                const rows = await test.query<{ Info: string | null; State: string | null }>(
                  'SHOW PROCESSLIST',
                );
                const waits = rows.some(
                  ({ Info, State }) => /SLEEP/.test(Info ?? '') && /^Waiting for table/.test(State ?? ''),
                );
                return waits ? true : undefined;
              });
              waited = application.query('SELECT COUNT(*) FROM emails').then(() => {
                answered = true;
              });
            },
          });
          const migrating = test.migrate('ADD COLUMN x INT', {
            cutOver: { strategy: 'sentry', oldReadViews: 'ignore', backoffMs: 50 },
          });
          await until('the attempt', () => Promise.resolve(done.happened ? true : undefined));
          await Promise.race([
            migrating,
            until('the RENAME', () => Promise.resolve(answered ? true : undefined)),
          ]);
          await waited;
          expect(readerEnded, 'the application was answered before the reader had ended').to.equal(false);
          const { cutOver } = await migrating;
          await reading;
          expect(cutOver.attempts).to.be.above(1);
          await expectNoLeaks(test);
        },
      );
    });
  });

  describe(`writes that arrive by replication on ${on}`, function () {
    this.timeout(180_000);

    itOnce('are refused, where they fire no triggers', async () => {
      const pair = await startPrimaryWithReplica(flavor);
      const test = await TestTable.create(pair.primary);
      try {
        await pair.caughtUp();
        const connection = { ...pair.replica.connection, database: test.database };
        const knex = test.makeKnex({}, connection);
        const migrate = (options: Options = {}): Promise<unknown> =>
          largeHadronMigrate('emails', { knex, progress: 'none', ...options }, 'ADD COLUMN x INT');
        const writable = await TestTable.create(pair.replica);
        try {
          await writable.query('SET GLOBAL read_only = 0');
          const error = await failureOf(migrate());
          expect(error).to.include({ code: 'LHM_REPLICATED_WRITES', outcome: 'untouched' });
          const reading = await failureOf(migrate({ mode: 'binlog' }));
          expect(reading).to.include({ code: 'LHM_REPLICATED_WRITES', outcome: 'untouched' });
          expect(reading.message).to.match(/is a replica/);
          expect(reading.hint).to.match(/Knex of the primary/);
          const [stop, start] =
            flavor === 'mysql' ? ['STOP REPLICA', 'START REPLICA'] : ['STOP SLAVE', 'START SLAVE'];
          await writable.query(stop);
          const begun = await failureOf(
            migrate({ hooks: { beforeCutOver: () => writable.query(start).then(() => undefined) } }),
          );
          expect(begun).to.include({ code: 'LHM_REPLICATED_WRITES', outcome: 'rolled-back' });
          expect(begun.message).to.match(/has begun to apply/);
          expect(begun.leftovers).to.deep.equal([]);
          if (flavor === 'mariadb') {
            await writable.query('STOP SLAVE');
            await writable.query("SET GLOBAL slave_run_triggers_for_rbr = 'YES'");
            await writable.query('START SLAVE');
            // Its triggers do not help whoever reads the log, which need not have what is replicated.
            const inLog = await failureOf(migrate({ mode: 'binlog' }));
            expect(inLog).to.include({ code: 'LHM_REPLICATED_WRITES', outcome: 'untouched' });
            await migrate();
          }
        } finally {
          await writable.drop();
        }
      } finally {
        await test.closeClients();
        await pair.stop();
      }
    });
  });
}
