import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import createKnex, { type Knex } from 'knex';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { ExampleDatabase } from './example-database';
import { knexCli } from './knex-cli';
import { MigrationFolder, type Format, type MigrationFolderOptions } from './migration-files';

const NAME = 'migration_files_spec';
const META = 'migration_files_meta';

const MIXED: readonly Format[] = ['ts', 'mjs', 'cjs', 'js'];
const FORMATS: readonly (readonly Format[])[] = [['mjs'], ['cjs'], ['ts'], MIXED];

const KNEX_TABLE = /^(knex_migrations|history)(_lock)?$/;

/** Knex's own tables elsewhere. */
const OWN_NAMES = { tableName: 'history', schemaName: META };

describe('migration files with the built package', function () {
  this.timeout(240_000);

  before(() =>
    promisify(execFile)(process.execPath, [join(__dirname, '../support/install/ensure-installed.mjs')]),
  );

  for (const flavor of availableFlavors()) {
    describe(`on ${flavor}`, () => {
      let server: RunningServer;
      let database: ExampleDatabase;
      let folder: MigrationFolder | undefined;
      const environment = process.env['NODE_ENV'];

      before(async () => {
        // As in a fixture: without progress on the screen.
        process.env['NODE_ENV'] = 'test';
        server = await startServer(flavor);
      });
      after(async () => {
        if (environment === undefined) delete process.env['NODE_ENV'];
        else process.env['NODE_ENV'] = environment;
        await server.stop();
      });

      beforeEach(async () => {
        database = await ExampleDatabase.create(server, NAME);
        await database.run(`DROP DATABASE IF EXISTS ${META}`);
        await database.run(`CREATE DATABASE ${META}`);
      });
      afterEach(async () => {
        await database.run(`DROP DATABASE ${META}`);
        await database.drop();
        folder?.remove();
        folder = undefined;
      });

      const make = (options: MigrationFolderOptions): MigrationFolder =>
        (folder = new MigrationFolder(options));

      async function cli(args: string): Promise<void> {
        const { knexfile, names } = folder!;
        const { code, stdout, stderr } = await knexCli(args.split(' '), {
          ...{ folder: folder!.folder, knexfile, databaseUrl: database.url },
          env: {
            NODE_ENV: 'test',
            NODE_OPTIONS: names.some((name) => name.endsWith('.ts')) ? '--import tsx' : '',
          },
        });
        expect(code, `${args}\n${stdout}\n${stderr}`).to.equal(0);
      }

      async function expectUp({ names }: MigrationFolder, history: string): Promise<void> {
        expect((await database.columns('letters')).sort()).to.deep.equal(['id', 'loud', 'size', 'title']);
        expect(await database.indexes('letters')).to.have.members(['PRIMARY', 'letters_size_index']);
        expect(
          await database.list("SELECT CONCAT_WS(' ', id, title, size, loud) FROM letters ORDER BY id"),
        ).to.deep.equal(['1 Ada 3 ADA', '2 Grace 3 GRACE', '3 Emmy 3 EMMY']);
        expect(await database.oldTables()).to.have.length(3);
        const recorded = await database.list(`SELECT CONCAT(batch, ' ', name) FROM ${history} ORDER BY id`);
        expect(recorded).to.deep.equal(names.map((name) => `1 ${name}`));
        expect(await database.list(`SELECT is_locked FROM ${history}_lock`)).to.deep.equal(['0']);
        const others = (await database.others()).filter((name) => !KNEX_TABLE.test(name));
        expect(others).to.deep.equal(['letters']);
      }

      async function expectDown(history: string): Promise<void> {
        expect((await database.others()).filter((name) => !KNEX_TABLE.test(name))).to.deep.equal([]);
        expect(await database.list(`SELECT name FROM ${history}`)).to.deep.equal([]);
      }

      for (const formats of FORMATS) {
        const what = formats.map((format) => `.${format}`).join(' and ');

        it(`${what}: one batch up and down again, with the knex command`, async () => {
          const files = make({ formats, migrations: { tableName: 'history' } });
          await cli('migrate:latest');
          await expectUp(files, 'history');
          await cli('migrate:rollback');
          await expectDown('history');
        });

        if (formats !== MIXED) continue;
        it(`${what}: the same by knex.migrate, with Knex's own tables in another schema`, async () => {
          const files = make({ formats, migrations: OWN_NAMES });
          const knex = createKnex({ client: 'mysql2', connection: database.url, pool: { min: 0, max: 1 } });
          try {
            await knex.migrate.latest(files.migrations);
            await expectUp(files, `${META}.history`);
            await knex.migrate.rollback(files.migrations);
            await expectDown(`${META}.history`);
          } finally {
            await knex.destroy();
          }
        });
      }

      describe("Knex's transaction", () => {
        let knex: Knex;

        beforeEach(() => {
          knex = createKnex({
            ...{ client: 'mysql2', connection: database.url, pool: { min: 0, max: 2 } },
            // Knex tells its log of a migration that fails.
            log: { warn: () => undefined, error: () => undefined },
          });
        });
        afterEach(() => knex.destroy());

        it('is off for all files with disableTransactions, and the files need not say so', async () => {
          const files = make({ formats: ['cjs'], config: false, migrations: { disableTransactions: true } });
          await knex.migrate.latest(files.migrations);
          await expectUp(files, 'knex_migrations');
        });

        it('is refused where neither says so, with the line to add, and Knex is not left locked', async () => {
          const files = make({ formats: ['ts'], config: false });
          const error: unknown = await knex.migrate.latest(files.migrations).then(
            () => expect.fail('migrated'),
            (reason: unknown) => reason,
          );
          expect(error).to.include({ code: 'LHM_IN_TRANSACTION', outcome: 'untouched' });
          expect((error as { hint: string }).hint).to.contain('export const config = { transaction: false }');
          expect(await database.isLocked()).to.equal(false);
          // The server commits at a CREATE TABLE, whatever transaction there is.
          expect(await database.migrations()).to.deep.equal(['1_create.ts']);
        });
      });
    });
  }
});
