import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/** Inside the package, so that migrations find it by its name, as it was built. */
const PARENT = join(__dirname, '.migrations');

export type Format = 'mjs' | 'cjs' | 'js' | 'ts';

interface Migration {
  readonly up: string;
  readonly down: string;
}

/** Several in one batch: plain Knex, the builder, SQL, an async function with a value, plain Knex again. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '1_create': {
    up: `await knex.schema.createTable('letters', (t) => {
    t.bigIncrements();
    t.string('name', 60).notNullable();
  });
  await knex('letters').insert([{ name: 'Ada' }, { name: 'Grace' }]);`,
    down: "await knex.schema.dropTable('letters');",
  },
  '2_builder': {
    up: "await largeHadronMigrate('letters', { knex }, (t) => { t.integer('size').notNullable().defaultTo(3).index(); });",
    down: "await largeHadronMigrate('letters', { knex }, (t) => { t.dropColumn('size'); });",
  },
  '3_sql': {
    up: "await largeHadronMigrate('letters', { knex }, 'CHANGE name title VARCHAR(60) NOT NULL');",
    down: "await largeHadronMigrate('letters', { knex }, 'CHANGE title name VARCHAR(60) NOT NULL');",
  },
  '4_value': {
    up: `await largeHadronMigrate('letters', { knex }, async (t, ctx) => {
    await ctx.raw('ALTER TABLE ?? ADD COLUMN loud VARCHAR(60)', [ctx.ghostTable]);
    ctx.values.loud = 'UPPER(title)';
  });`,
    down: "await largeHadronMigrate('letters', { knex }, (t) => { t.dropColumn('loud'); });",
  },
  '5_insert': {
    up: "await knex('letters').insert({ title: 'Emmy', loud: 'EMMY' });",
    down: "await knex('letters').where({ title: 'Emmy' }).del();",
  },
};

const NO_TRANSACTION = {
  esm: 'export const config = { transaction: false };',
  cjs: 'exports.config = { transaction: false };',
};

function source(format: Format, { up, down }: Migration, config: boolean): string {
  if (format === 'mjs' || format === 'ts') {
    const knex = format === 'ts' ? 'knex: Knex): Promise<void>' : 'knex)';
    return [
      ...(format === 'ts' ? ["import type { Knex } from 'knex';"] : []),
      "import { largeHadronMigrate } from 'large-hadron-migrate';",
      config ? NO_TRANSACTION.esm : '',
      'void largeHadronMigrate;',
      `export async function up(${knex} {\n  ${up}\n}`,
      `export async function down(${knex} {\n  ${down}\n}\n`,
    ].join('\n');
  }
  return [
    "const { largeHadronMigrate } = require('large-hadron-migrate');",
    config ? NO_TRANSACTION.cjs : '',
    'void largeHadronMigrate;',
    `exports.up = async function up(knex) {\n  ${up}\n};`,
    `exports.down = async function down(knex) {\n  ${down}\n};\n`,
  ].join('\n');
}

export interface MigrationFolderOptions {
  /** One for all files, or one for each in turn. */
  readonly formats: readonly Format[];
  /** What Knex is told of its own tables, and more of the same. */
  readonly migrations?: object;
  /** Whether each file turns Knex's transaction off. Default true. */
  readonly config?: boolean;
}

/** A folder of migration files with a knexfile beside it, for one test. */
export class MigrationFolder {
  readonly knexfile: string;
  private readonly root: string;
  readonly names: readonly string[];

  constructor(private readonly options: MigrationFolderOptions) {
    const { formats, config = true } = options;
    mkdirSync(PARENT, { recursive: true });
    this.root = mkdtempSync(join(PARENT, 'project-'));
    mkdirSync(this.directory);
    this.names = Object.keys(MIGRATIONS).map((name, i) => `${name}.${formats[i % formats.length]!}`);
    for (const name of this.names) {
      const [base = '', format = ''] = name.split('.');
      writeFileSync(join(this.directory, name), source(format as Format, MIGRATIONS[base]!, config));
    }
    const [first = 'cjs'] = formats;
    this.knexfile = `knexfile.${formats.includes('ts') ? 'ts' : first}`;
    const settings = JSON.stringify({ client: 'mysql2', migrations: this.migrations });
    const connection = "connection: process.env['DATABASE_URL']";
    const exported = ['mjs', 'ts'].includes(this.knexfile.slice(9)) ? 'export default' : 'module.exports =';
    writeFileSync(join(this.root, this.knexfile), `${exported} { ...${settings}, ${connection} };\n`);
  }

  /** For the knexfile, or for `knex.migrate.latest()`. */
  get migrations(): object {
    const extensions = this.names.map((name) => name.slice(name.lastIndexOf('.')));
    return {
      directory: this.directory,
      loadExtensions: [...new Set(extensions)],
      ...this.options.migrations,
    };
  }

  /** The knexfile's, from the root of the package. */
  get folder(): string {
    return relative(ROOT, this.root);
  }

  private get directory(): string {
    return join(this.root, 'migrations');
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}
