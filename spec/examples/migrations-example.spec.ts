import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { ExampleDatabase } from './example-database';
import { knexCli, type CliOptions, type CliResult } from './knex-cli';

const EXAMPLE = 'migrations-example';
const INTERRUPTED = 'spec/examples/interrupted';
const KNEX = ['knex_migrations', 'knex_migrations_lock'];
/** Enough for several chunks. */
const ROWS = 3000;

const PLAIN = ['id', 'name', 'note'];
const MIGRATED = [...PLAIN, 'hashed_address', 'opened_at', 'lower_name'];
const INDEXES = ['PRIMARY', 'emails_hashed_address_index', 'emails_opened_at_index'];

describe('migrations-example', function () {
  this.timeout(240_000);

  // The examples import the package by its name, as users do, and so the build.
  before(() =>
    promisify(execFile)(process.execPath, [join(__dirname, '../support/install/ensure-installed.mjs')]),
  );

  for (const flavor of availableFlavors()) {
    describe(`with the knex command, on ${flavor}`, () => {
      let server: RunningServer;
      let database: ExampleDatabase;

      before(async () => {
        server = await startServer(flavor);
      });
      after(() => server.stop());

      beforeEach(async () => {
        database = await ExampleDatabase.create(server, 'example_spec');
      });
      afterEach(() => database.drop());

      async function knex(args: string, options: Partial<CliOptions> = {}): Promise<CliResult> {
        return knexCli(args.split(' '), { folder: EXAMPLE, databaseUrl: database.url, ...options });
      }

      async function succeeds(args: string, options: Partial<CliOptions> = {}): Promise<void> {
        const { code, stdout, stderr } = await knex(args, options);
        expect(code, `${args}\n${stdout}\n${stderr}`).to.equal(0);
        expect(await database.isLocked(), 'knex is locked').to.equal(false);
      }

      it('migrates up, down and up again, and keeps every row and every old table', async () => {
        await succeeds('migrate:up');
        await database.fill('emails', ROWS);
        const rows = await database.fingerprint('emails');

        await succeeds('migrate:latest');
        await expectMigrated();
        expect(await database.fingerprint('emails'), 'rows').to.equal(rows);
        expect(
          await database.list('SELECT COUNT(*) FROM emails WHERE lower_name = LOWER(name)'),
        ).to.deep.equal([String(ROWS)]);
        expect(await database.list('SELECT lower_name FROM emails WHERE id = 7')).to.deep.equal([
          'name 7 žluť 🐎',
        ]);
        await expectOldTables(4, rows);

        // The last batch: the table itself was created in one of its own.
        await succeeds('migrate:rollback');
        expect(await database.columns('emails')).to.deep.equal(PLAIN);
        expect(await database.indexes('emails')).to.deep.equal(['PRIMARY']);
        expect(await database.fingerprint('emails'), 'rows after the rollback').to.equal(rows);
        expect(await database.others()).to.deep.equal(['emails', ...KNEX]);
        await expectOldTables(8, rows);

        await succeeds('migrate:latest');
        await expectMigrated();
        expect(await database.fingerprint('emails'), 'rows after the second time').to.equal(rows);
        await expectOldTables(12, rows);
      });

      it('migrates an empty database, takes everything back and does it again', async () => {
        await succeeds('migrate:latest');
        await expectMigrated();
        await succeeds('migrate:rollback --all');
        expect(await database.others()).to.deep.equal(KNEX);
        expect(await database.migrations()).to.deep.equal([]);
        await succeeds('migrate:latest');
        await expectMigrated();
      });

      async function expectMigrated(): Promise<void> {
        expect(await database.columns('emails')).to.deep.equal(MIGRATED);
        expect(await database.indexes('emails')).to.have.members(INDEXES);
        expect(await database.others()).to.deep.equal(['emails', ...KNEX]);
        expect(await database.migrations()).to.have.length(5);
      }

      async function expectOldTables(count: number, rows: string): Promise<void> {
        const tables = await database.oldTables();
        expect(tables).to.have.length(count);
        for (const table of tables) {
          expect(table).to.match(/^emails_lhmo_/);
          expect(await database.fingerprint(table), table).to.equal(rows);
        }
      }

      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        it(`leaves nothing behind when ${signal} stops it, and migrates the next time`, async () => {
          await database.run(
            'CREATE TABLE letters (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL, note TEXT NULL)',
          );
          await database.fill('letters', 30_000);
          const rows = await database.fingerprint('letters');

          const { code, interrupted, stderr } = await knex('migrate:latest', {
            folder: INTERRUPTED,
            env: { PAUSE_MS: '500' },
            interrupt: { marker: /^\[lhm\] example_spec\.letters: copy/m, signal },
          });
          expect(interrupted, stderr).to.equal(true);
          // Not killed: it ended by itself.
          expect(code, stderr).to.equal(1);
          expect(stderr).to.contain(`The migration was stopped by ${signal}.`);
          expect(await database.isLocked(), 'knex is locked').to.equal(false);
          expect(await database.others()).to.deep.equal([...KNEX, 'letters']);
          expect(await database.oldTables()).to.deep.equal([]);
          expect(await database.migrations()).to.deep.equal([]);
          expect(await database.columns('letters')).to.deep.equal(PLAIN);
          expect(await database.fingerprint('letters'), 'rows').to.equal(rows);

          await succeeds('migrate:latest', { folder: INTERRUPTED });
          expect(await database.columns('letters')).to.deep.equal([...PLAIN, 'read_at']);
          expect(await database.fingerprint('letters'), 'rows').to.equal(rows);
          expect(await database.others()).to.deep.equal([...KNEX, 'letters']);
          expect(await database.oldTables()).to.have.length(1);
        });
      }
    });
  }
});
