import { expect } from 'chai';
import createKnex, { type Knex } from 'knex';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';

const README = readFileSync(join(__dirname, '../../README.md'), 'utf8');

/** Inside the package, so that the examples find it by its name. */
const FOLDER = join(__dirname, '.readme');

interface Example {
  readonly first: string;
  readonly code: string;
}

const EXAMPLES: readonly Example[] = [...README.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => ({
  first: code.split('\n').find((line) => /await (large|plan)/.test(line)) ?? '',
  code,
}));

type Run = (knex: Knex) => Promise<void>;

/** A migration file runs up, down and up; statements run as they stand. */
async function run(example: Example, knex: Knex): Promise<void> {
  const isModule = example.code.includes('export ');
  const source = isModule
    ? example.code
    : `import { largeHadronCleanUp, largeHadronMigrate, planLargeHadronMigration } from 'large-hadron-migrate';\nexport async function up(knex) {\n${example.code}}\n`;
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, 'readme-'));
  try {
    const file = join(folder, 'example.ts');
    writeFileSync(file, source);
    const { up, down } = (await import(file)) as { up: Run; down?: Run };
    await up(knex);
    if (down === undefined) return;
    await down(knex);
    await up(knex);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const flavor of availableFlavors()) {
  describe(`the README's examples on ${flavor}`, () => {
    let server: RunningServer;
    let knex: Knex;
    const environment = process.env['NODE_ENV'];

    before(async () => {
      // As in a fixture: without progress on the screen.
      process.env['NODE_ENV'] = 'test';
      server = await startServer(flavor);
      knex = createKnex({ client: 'mysql2', connection: { ...server.connection, database: 'mysql' } });
      await knex.raw('CREATE DATABASE readme CHARACTER SET utf8mb4');
      await knex.destroy();
      knex = createKnex({ client: 'mysql2', connection: { ...server.connection, database: 'readme' } });
      await knex.schema.createTable('emails', (t) => {
        t.increments();
        t.string('address', 100).notNullable();
      });
      await knex('emails').insert([{ address: 'ada@example.org' }, { address: 'grace@example.com' }]);
    });
    after(async () => {
      if (environment === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = environment;
      await knex.destroy();
      await server.stop();
    });

    it('are some', () => {
      expect(EXAMPLES.length).to.be.at.least(2);
    });

    for (const example of EXAMPLES) {
      it(`run: ${example.first.trim()}`, () => run(example, knex));
    }

    it('together leave the columns and the values they speak of', async () => {
      const rows = (await knex('emails').orderBy('id')) as Record<string, unknown>[];
      expect(rows.map((row) => row['host'])).to.deep.equal(['example.org', 'example.com']);
      expect(rows[0]).to.have.property('hashed_address');
      expect(rows[0]).to.have.property('size');
    });
  });
}
