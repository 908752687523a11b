import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import { serversAndModes } from '../support/available-modes';
import type { Kind } from '../support/binlog/kinds';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type Flavor, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { columnKindsOf } from '../support/types/column-kinds';
import { duringCopy } from '../support/types/during-copy';

const ROWS = 40;
const CHUNK = 8;
const TURNS = 8;

/** What the log says of a row may be all of it, or little; that of a JSON value may be its difference. */
const SETTINGS: Readonly<Record<Flavor, readonly string[]>> = {
  mysql: [
    "binlog_row_image = 'FULL', binlog_row_value_options = '', binlog_transaction_compression = OFF",
    "binlog_row_image = 'MINIMAL', binlog_row_value_options = 'PARTIAL_JSON'",
    "binlog_row_image = 'FULL', binlog_row_value_options = 'PARTIAL_JSON', binlog_transaction_compression = ON",
    "binlog_row_image = 'NOBLOB', binlog_row_value_options = ''",
  ],
  mariadb: ["binlog_row_image = 'FULL'", "binlog_row_image = 'MINIMAL'", "binlog_row_image = 'NOBLOB'"],
};

interface Group {
  readonly what: string;
  readonly kinds: readonly Kind[];
  readonly sqlMode: string;
}

/** A row may not be longer than 65535 bytes, so not all are in one table. */
function groupsOf(flavor: Flavor): readonly Group[] {
  const all = columnKindsOf(flavor);
  const strict = all.filter(({ lax }) => lax !== true);
  const sqlMode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO';
  const part = (n: number): Group => ({
    what: `every type of column, ${n + 1} of 3`,
    kinds: strict.filter(({ name }, i) => name !== 'k_varchar_long' && i % 3 === n),
    sqlMode,
  });
  const few = (...names: readonly string[]): readonly Kind[] =>
    strict.filter(({ name }) => names.includes(name));
  return [
    ...[0, 1, 2].map(part),
    { what: 'the longest VARCHAR', kinds: few('k_varchar_long', 'k_bit9', 'k_set9', 'k_time6'), sqlMode },
    { what: 'values that strict mode refuses', kinds: all.filter(({ lax }) => lax === true), sqlMode: '' },
  ];
}

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`columns written to while they are copied, on ${on}`, function () {
    this.timeout(180_000);
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    for (const group of groupsOf(flavor)) {
      it(`${group.what}: every value is as after a native ALTER`, async () => {
        const { kinds, sqlMode } = group;
        // The key comes last: whoever takes a value before it for longer or shorter than it is reads another key.
        const columns = [
          ...kinds.map(({ name, type }) => `${name} ${type} NULL`),
          'id INT NOT NULL',
          'PRIMARY KEY (id)',
        ];
        const test = await TestTable.create(server, { columns: columns.join(', ') });
        try {
          await test.query('CREATE TABLE twin LIKE emails');
          const sql = await test.connect();
          await sql.query(`SET SESSION time_zone = '+03:00', SESSION sql_mode = '${sqlMode}'`);
          for (let id = 0; id < ROWS; id++) await both(sql, [insert(kinds, id, id)]);
          const writing = duringCopy(test.knex, (turn) => write(sql, flavor, kinds, turn), TURNS);
          const { changesApplied, verified } = await test.migrate('ADD COLUMN extra INT NULL FIRST', {
            ...{ chunk: { rows: CHUNK }, verify: { rows: 2 * CHUNK } },
          });
          expect(writing.turns).to.equal(TURNS);
          expect(changesApplied).to.be.above(0);
          expect(verified.notCompared).to.equal(0);
          await test.query('ALTER TABLE twin ADD COLUMN extra INT NULL FIRST');
          await expectSame(test, kinds);
          await expectNoLeaks(test);
        } finally {
          await test.drop();
        }
      });
    }
  });
}

/** The value of a column in the `n`-th state of a row; every one of them is in some row from the beginning. */
function valueOf({ values }: Kind, n: number): string {
  return values[n % (values.length + 1)] ?? 'NULL';
}

function insert(kinds: readonly Kind[], id: number, n: number, verb = 'INSERT'): string {
  return `${verb} INTO ! (${[...kinds.map(({ name }) => name), 'id'].join(', ')}) VALUES (${[...kinds.map((kind) => valueOf(kind, n)), id].join(', ')})`;
}

/** All sorts of changes in rows of a turn, some of which are copied already, and some not. */
async function write(sql: Connection, flavor: Flavor, kinds: readonly Kind[], turn: number): Promise<void> {
  const settings = SETTINGS[flavor];
  await sql.query(`SET SESSION ${settings[turn % settings.length]!.replaceAll(/, /g, ', SESSION ')}`);
  const [updated, moved, deleted, replaced, twice] = [0, 1, 2, 3, 4].map((i) => turn + i * TURNS) as [
    ...[number, number, number, number, number],
  ];
  const set = (n: number): string => kinds.map((kind) => `${kind.name} = ${valueOf(kind, n)}`).join(', ');
  const one = kinds[turn % kinds.length]!;
  await both(sql, [
    `UPDATE ! SET ${set(updated + 1 + turn)} WHERE id = ${updated}`,
    `UPDATE ! SET id = ${500 + turn}, ${set(moved + 2)} WHERE id = ${moved}`,
    `DELETE FROM ! WHERE id = ${deleted}`,
    insert(kinds, replaced, replaced + 1, 'REPLACE'),
    `${insert(kinds, twice, 0)} ON DUPLICATE KEY UPDATE ${set(twice + 3)}`,
    insert(kinds, 600 + turn, turn),
    insert(kinds, -1 - turn, turn + 1),
    `UPDATE ! SET ${one.name} = ${valueOf(one, turn + 1)} WHERE id % 3 = ${turn % 3}`,
    ...(flavor === 'mysql' ? kinds.filter(({ type }) => type === 'JSON') : []).map(
      ({ name }) =>
        `UPDATE ! SET ${name} = JSON_SET(${name}, '$.a', ${turn}, '$.t', 'z') WHERE JSON_TYPE(${name}) = 'OBJECT' AND id % 2 = ${turn % 2}`,
    ),
  ]);
}

async function both(sql: Connection, statements: readonly string[]): Promise<void> {
  for (const table of ['emails', 'twin']) {
    await sql.query('START TRANSACTION');
    for (const statement of statements) await sql.query(statement.replace('!', table));
    await sql.query('COMMIT');
  }
}

async function expectSame(test: TestTable, kinds: readonly Kind[]): Promise<void> {
  const list = kinds.map(({ name, same = 'HEX(v)' }) => `${same.replaceAll(/\bv\b/g, name)} AS ${name}`);
  const rows = async (table: string): Promise<Record<string, unknown>[]> =>
    test.query(`SELECT id, extra, ${list.join(', ')} FROM ${table} ORDER BY id`);
  const [got, expected] = [await rows('emails'), await rows('twin')];
  expect(got.map(({ id }) => id)).to.deep.equal(expected.map(({ id }) => id));
  for (const [i, row] of got.entries()) {
    for (const [column, value] of Object.entries(row))
      expect(value, `${column} of row ${row['id'] as number}`).to.deep.equal(expected[i]![column]);
  }
  expect(got.length).to.be.above(ROWS);
}
