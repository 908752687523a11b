import { writeFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect } from 'chai';
import type { Knex } from 'knex';

import type { AlterFunction } from '../../lib';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { quote, TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

const NAMES: readonly [what: string, name: string][] = [
  ['a dash', 'e-mails'],
  ['a space', 'e mails'],
  ['an apostrophe', "o'mails"],
  ['a double quote', 'e"mails"'],
  ['a back-tick', 'e`mails'],
  ['a backslash', 'e\\mails'],
  ['a dollar and a per cent sign', 'e$%mails'],
  ['a question mark', 'e?mails'],
  ['capitals', 'EMails'],
  ['a reserved word', 'select'],
  ['umlauts', 'größe'],
  ['Chinese', '邮件'],
  ['60 characters', 'e'.repeat(60)],
  ['64 characters', 'e'.repeat(64)],
  ['an ending like ours', 'emails_lhmn'],
];

/** The part of Knex's client that hands out connections. */
interface Pool {
  acquireConnection(): Promise<unknown>;
  releaseConnection(connection: unknown): Promise<void>;
}

/** What carries a column's data under another name, and what does not. */
const COLUMNS: readonly [what: string, alter: AlterFunction | string, column: string, keeps: boolean][] = [
  ['renameColumn of the builder', (t) => void t.renameColumn('size', 'bytes'), 'bytes', true],
  ['CHANGE', 'CHANGE size bytes BIGINT NOT NULL', 'bytes', true],
  ['CHANGE COLUMN', 'CHANGE COLUMN `size` `bytes` BIGINT NOT NULL', 'bytes', true],
  ['RENAME COLUMN', 'RENAME COLUMN size TO bytes', 'bytes', true],
  [
    'CHANGE by ctx.raw',
    (_, ctx) => void ctx.raw('ALTER TABLE ?? CHANGE ?? ?? INT', [ctx.ghostTable, 'size', 'bytes']),
    'bytes',
    true,
  ],
  [
    'two renames, one after the other',
    async (_, ctx) => {
      await ctx.raw('ALTER TABLE emails RENAME COLUMN size TO volume');
      await ctx.raw('ALTER TABLE emails RENAME COLUMN volume TO bytes');
    },
    'bytes',
    true,
  ],
  ['DROP and ADD', 'DROP COLUMN size, ADD COLUMN size INT NOT NULL DEFAULT 3', 'size', false],
  [
    'dropColumn, then the same name again',
    async (t, ctx) => {
      await ctx.raw('ALTER TABLE emails DROP COLUMN size');
      t.integer('size').notNullable().defaultTo(3);
    },
    'size',
    false,
  ],
];

for (const { flavor, mode, on, every, once, itOnce } of serversAndModes()) {
  describe(`odd tables, names and callers on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let test: TestTable | undefined;

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    afterEach(async () => {
      await test?.drop();
      test = undefined;
    });

    async function table(options: Parameters<typeof TestTable.create>[1] = {}): Promise<TestTable> {
      test = await TestTable.create(server, options);
      return test;
    }

    /** Migrates, and checks that every row is there with its new column. */
    async function expectMigrated(
      on: TestTable,
      options: Parameters<TestTable['migrate']>[1] = {},
      name = on.table,
      alter: AlterFunction = ADD_COLUMN,
    ): Promise<void> {
      const rows = await on.rows();
      const result = await on.migrate(alter, options, name);
      expect(result.table).to.equal(`${on.database}.${on.table}`);
      expect(await on.rows()).to.deep.equal(rows.map((row) => ({ ...row, extra: null })));
      expect(await on.rows(result.oldTable!)).to.deep.equal(rows);
      expect((await oldTables(on)).length).to.equal(1);
      await expectNoLeaks(on, [on.table]);
      await expectWritable(on);
    }

    describe('a table whose name has', () => {
      for (const [what, name] of every(3, NAMES)) {
        it(what, async () => {
          const on = await table({ table: name });
          await expectMigrated(on, {
            hooks: {
              // The triggers and the replay, too, must get the name right.
              afterRowCopy: async () => {
                await on.query(`INSERT INTO ${quote(name)} (id, address) VALUES (500, 'meanwhile')`);
                await on.query(`DELETE FROM ${quote(name)} WHERE id = 500`);
              },
            },
          });
        });
      }

      itOnce('a failure, too, is taken back', async () => {
        const on = await table({ table: "o'mails`" });
        const rows = await on.rows();
        const error = await on.failure(ADD_COLUMN, {
          hooks: { beforeCutOver: () => Promise.reject(new Error('no')) },
        });
        expect(error).to.include({ code: 'LHM_HOOK_FAILED', outcome: 'rolled-back' });
        expect(await on.rows()).to.deep.equal(rows);
        expect(await on.tables()).to.deep.equal(["o'mails`"]);
        await expectNoLeaks(on);
      });
    });

    describe('a column', () => {
      for (const [what, alter, column, keeps] of once(COLUMNS)) {
        it(`${what}: ${keeps ? 'carries its data' : 'is a new one'}`, async () => {
          const on = await table();
          await on.migrate(alter);
          const rows = await on.rows();
          expect(rows.map((row) => Number(row[column]))).to.deep.equal(
            rows.map((row) => (keeps ? Number(row['id']) * 10 : 3)),
          );
          if (column !== 'size') expect(rows[0]).not.to.have.property('size');
          await expectNoLeaks(on);
        });
      }

      itOnce('swapped with another by two renames: both carry their data', async () => {
        const on = await table({ columns: 'id INT PRIMARY KEY, a INT, b INT' });
        await on.query('INSERT INTO emails VALUES (1, 10, 20), (2, 30, 40)');
        await on.migrate('RENAME COLUMN a TO b, RENAME COLUMN b TO a');
        expect(await on.query('SELECT id, a, b FROM emails ORDER BY id')).to.deep.equal([
          { id: 1, a: 20, b: 10 },
          { id: 2, a: 40, b: 30 },
        ]);
      });

      itOnce('with columns.renamed, where the ALTER drops one and adds another', async () => {
        const on = await table();
        await on.migrate('DROP COLUMN size, ADD COLUMN bytes INT NOT NULL DEFAULT 0', {
          columns: { renamed: { size: 'bytes' } },
        });
        expect((await on.rows()).map((row) => row['bytes'])).to.deep.equal(
          (await on.rows()).map((row) => Number(row['id']) * 10),
        );
      });

      it('with values, for copied and for replayed rows', async () => {
        const on = await table();
        const values = { values: { loud: 'UPPER(address)', size: 'size + 1' } };
        await on.migrate("ADD COLUMN loud VARCHAR(100) NOT NULL DEFAULT 'none'", {
          columns: values,
          hooks: {
            afterRowCopy: async () => {
              await on.query("INSERT INTO emails (id, address, size) VALUES (500, 'meanwhile', 7)");
              await on.query("UPDATE emails SET address = 'changed' WHERE id = 4");
            },
          },
        });
        expect(await on.query('SELECT id, loud, size FROM emails WHERE id IN (1, 4, 500)')).to.deep.equal([
          { id: 1, loud: 'A1@EXAMPLE.ORG', size: 11 },
          { id: 4, loud: 'CHANGED', size: 41 },
          { id: 500, loud: 'MEANWHILE', size: 8 },
        ]);
        await expectNoLeaks(on);
      });

      itOnce('with ctx.values', async () => {
        const on = await table();
        await on.migrate((t, ctx) => {
          t.string('hashed_address', 64);
          t.index(['hashed_address']);
          ctx.values['hashed_address'] = 'SHA2(address, 256)';
        });
        const [row] = await on.query(
          'SELECT hashed_address = SHA2(address, 256) AS same FROM emails WHERE id = 8',
        );
        expect(row).to.deep.equal({ same: 1 });
        expect(await on.definition()).to.contain('`emails_hashed_address_index`');
      });
    });

    describe('a caller', () => {
      it('whose pool has one connection, in use all the while', async () => {
        const on = await table();
        const knex = on.makeKnex({ pool: { min: 0, max: 1 } });
        const rows = await on.rows();
        const pool = knex.client as Pool;
        const held = await pool.acquireConnection();
        await on.migrate(ADD_COLUMN, { knex });
        await pool.releaseConnection(held);
        expect(await knex('emails').count({ n: '*' })).to.deep.equal([{ n: rows.length }]);
        await expectNoLeaks(on);
      });

      itOnce('whose connection names no database, with the schema in the name', async () => {
        const on = await table();
        const knex = on.makeKnex({ connection: { ...server.connection } });
        await expectMigrated(on, { knex }, `${on.database}.emails`);
      });

      itOnce('whose connection names another database', async () => {
        const on = await table();
        const knex = on.makeKnex({}, { database: flavor === 'mysql' ? 'sys' : 'mysql' });
        await expectMigrated(on, { knex }, `${on.database}.emails`);
      });

      itOnce('whose Knex maps names to snake case and back', async () => {
        const on = await table();
        const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
        const knex = on.makeKnex({
          wrapIdentifier: (value, wrap) => wrap(value === '*' ? value : snake(value)),
          postProcessResponse: () => 'mangled',
        });
        await on.migrate(
          (t) => {
            t.string('hashedAddress', 64);
            t.index(['hashedAddress']);
            t.renameColumn('note', 'longNote');
          },
          { knex },
        );
        expect(await on.definition())
          .to.contain('`hashed_address` varchar(64)')
          .and.contain('(`hashed_address`)')
          .and.contain('`long_note`');
        expect((await on.query('SELECT long_note FROM emails WHERE id = 1'))[0]).to.deep.equal({
          long_note: 'note 1',
        });
        await expectNoLeaks(on);
      });

      itOnce('whose connection is a URL', async () => {
        const on = await table();
        const { user, password, host, port } = server.connection;
        const knex = on.makeKnex({
          connection: `mysql://${user}:${password}@${host}:${port}/${on.database}`,
        });
        await expectMigrated(on, { knex });
      });

      itOnce('whose connection is a function', async () => {
        const on = await table();
        const connection = { ...server.connection, database: on.database };
        await expectMigrated(on, { knex: on.makeKnex({ connection: () => Promise.resolve(connection) }) });
      });

      itOnce('whose Knex was never used, or is destroyed already', async () => {
        const on = await table();
        const knex = on.makeKnex();
        await knex.destroy();
        await expectMigrated(on, { knex });
      });

      itOnce('that is a Knex migration', async () => {
        const on = await table();
        const knex = on.makeKnex();
        const migration = {
          config: { transaction: false },
          up: (given: Knex) => on.migrate(ADD_COLUMN, { knex: given }).then(() => undefined),
          down: () => Promise.resolve(),
        };
        const source = {
          getMigrations: () => Promise.resolve(['one']),
          getMigrationName: (name: string) => name,
          getMigration: () => Promise.resolve(migration),
        };
        await knex.migrate.latest({ migrationSource: source });
        expect(await on.definition()).to.contain('`extra`');
        expect(await on.query('SELECT name FROM knex_migrations')).to.deep.equal([{ name: 'one' }]);
        expect(await on.query('SELECT is_locked FROM knex_migrations_lock')).to.deep.equal([
          { is_locked: 0 },
        ]);
        await expectNoLeaks(on);
      });

      itOnce('that is an ES module', async () => {
        const on = await table();
        const folder = mkdtempSync(join(tmpdir(), 'lhm-esm-'));
        try {
          const lib = pathToFileURL(join(__dirname, '../../lib/index.ts')).href;
          const knex = pathToFileURL(require.resolve('knex')).href;
          const config = { client: 'mysql2', connection: { ...server.connection, database: on.database } };
          const script = join(folder, 'migrate.mts');
          await writeFile(
            script,
            `import { largeHadronMigrate, LargeHadronError } from '${lib}';
             import createKnex from '${knex}';
             const knex = createKnex(${JSON.stringify(config)});
             await largeHadronMigrate('emails', { knex, progress: 'none' }, (t) => { t.integer('extra'); });
             try {
               await largeHadronMigrate('emails', { knex, progress: 'none' }, 'ADD COLUMN extra INT');
             } catch (error) {
               if (!(error instanceof LargeHadronError)) throw error;
             }
             await knex.destroy();`,
          );
          const run = spawnSync(process.execPath, ['--import', 'tsx', script], { timeout: 60_000 });
          expect(run.stderr.toString()).to.equal('');
          expect(run.status).to.equal(0);
          expect(await on.definition()).to.contain('`extra`');
          await expectNoLeaks(on);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      });
    });
  });
}
