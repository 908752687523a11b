import type { Knex } from 'knex';
import type { Flavor } from '../servers';

type Usage = [what: string, change: (t: Knex.AlterTableBuilder, knex: Knex) => void, only?: Flavor];

/** What people do with Knex's builder on the table of `tables.ts`. */
export const BUILDER_USAGES: readonly Usage[] = [
  ['string', (t) => void t.string('hashed', 64)],
  ['string with an index', (t) => void t.string('hashed', 64).index()],
  ['string, unique', (t) => void t.string('hashed', 64).unique()],
  ['unique', (t) => void t.unique(['subject'])],
  ['unique of two columns', (t) => void t.unique(['subject', 'size'])],
  ['unique with a name', (t) => void t.unique(['subject'], { indexName: 'by_subject' })],
  ['index', (t) => void t.index(['subject'])],
  ['index of two columns', (t) => void t.index(['size', 'subject'])],
  ['index with a name', (t) => void t.index(['subject'], 'by_subject')],
  ['hash index', (t) => void t.index(['subject'], 'by_subject', { storageEngineIndexType: 'hash' })],
  ['fulltext index', (t) => void t.index(['body'], 'words', { indexType: 'FULLTEXT' })],
  ['dropUnique', (t) => void t.dropUnique(['address'])],
  ['dropIndex', (t) => void t.dropIndex(['size'])],
  ['dropIndex of two columns', (t) => void t.dropIndex(['state', 'size'])],
  ['dropIndex by name', (t) => void t.dropIndex([], 'by_name')],
  ['dropColumn', (t) => void t.dropColumn('body')],
  ['dropColumns', (t) => void t.dropColumns('body', 'first_name')],
  ['renameColumn', (t) => void t.renameColumn('subject', 'title')],
  ['renameColumn of an indexed column', (t) => void t.renameColumn('size', 'bytes')],
  ['renameColumn of the key', (t) => void t.renameColumn('id', 'email_id')],
  ['setNullable', (t) => void t.setNullable('size')],
  ['dropNullable', (t) => void t.dropNullable('first_name')],
  ['alter', (t) => void t.string('subject', 50).notNullable().defaultTo('nothing').alter()],
  ['alter of a type', (t) => void t.bigInteger('size').alter()],
  ['alter of the nullability alone', (t) => void t.string('subject', 200).alter({ alterNullable: false })],
  ['enum', (t) => void t.enum('kind', ['in', 'out']).defaultTo('in')],
  [
    'enum altered',
    (t) => void t.enum('state', ['new', 'sent', 'lost']).notNullable().defaultTo('new').alter(),
  ],
  ['comment of a column', (t) => void t.integer('n').comment("it's, rename to emails; -- #")],
  [
    'comment of the table',
    (t) => {
      t.comment('x, rename to y; /* */ drop table emails');
    },
  ],
  ['timestamps', (t) => void t.timestamps()],
  ['timestamps with defaults', (t) => void t.timestamps(true, true)],
  [
    'timestamp with a precision',
    (t, knex) => void t.timestamp('seen_at', { precision: 6 }).defaultTo(knex.fn.now(6)),
  ],
  ['json', (t) => void t.json('meta')],
  ['json with a default', (t) => void t.json('meta').defaultTo({ a: [1, '?'] })],
  [
    'default of every kind',
    (t) => {
      t.integer('i').defaultTo(7);
      t.boolean('b').notNullable().defaultTo(true);
      t.string('s').defaultTo("it's a ? \\ test");
      t.date('d').defaultTo('2020-02-29');
    },
  ],
  ['raw default', (t, knex) => void t.integer('n').defaultTo(knex.raw('(1 + ?)', [2]))],
  [
    'after and first',
    (t) => {
      t.integer('a').after('address');
      t.integer('b').first();
    },
  ],
  ['collate', (t) => void t.string('code', 20).collate('utf8mb4_bin')],
  ['unsigned', (t) => void t.integer('n').unsigned().notNullable()],
  ['decimal', (t) => void t.decimal('price', 14, 4)],
  ['specificType', (t) => void t.specificType('n', 'TINYINT(3) UNSIGNED ZEROFILL')],
  [
    'every other type',
    (t) => {
      t.tinyint('a');
      t.smallint('b');
      t.mediumint('c');
      t.bigInteger('d');
      t.float('e');
      t.double('f');
      t.binary('g', 16);
      t.binary('h');
      t.text('i', 'mediumtext');
      t.time('j');
      t.datetime('k', { precision: 3 });
      t.uuid('l');
      t.specificType('m', 'BIT(3)');
      t.geometry('n');
      t.point('o');
    },
  ],
  ['uuid in binary', (t) => void t.uuid('public_id', { useBinaryUuid: true })],
  // MariaDB knows no names for the checks of columns; MySQL makes up names after the table's.
  ['checks of columns on MySQL', (t) => void t.string('c').checkIn(['a', "b'"], 'c_known'), 'mysql'],
  ['checks of columns on MariaDB', (t) => void t.integer('n').checkPositive(), 'mariadb'],
  ['check of an altered column', (t) => void t.integer('size').notNullable().checkPositive().alter()],
  ['check of the table', (t) => void t.check('size < 1000', {}, 'size_small')],
  [
    'check that is dropped again',
    (t) => {
      t.check('size < 1000', {}, 'size_small');
      t.check('size > 1', {}, 'size_large');
      t.dropChecks('size_small');
    },
  ],
  [
    'another primary key',
    (t) => {
      t.integer('id').unsigned().notNullable().alter();
      t.dropPrimary();
      t.primary(['address', 'id']);
    },
  ],
  ['increments that are no key', (t) => void t.increments('serial', { primaryKey: false })],
  ['a larger key', (t) => void t.bigIncrements('id', { primaryKey: false }).alter()],
  [
    'much at once',
    (t) => {
      t.string('hashed', 64).notNullable().defaultTo('').after('address');
      t.index(['hashed', 'size']);
      t.dropUnique(['address']);
      t.dropColumn('body');
      t.renameColumn('subject', 'title');
      t.setNullable('size');
      t.string('first_name', 300).alter();
    },
  ],
];
