import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import { LargeHadronEvents } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { BERLIN } from '../support/settings/berlin';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { duringCopy } from '../support/types/during-copy';
import { keyValuesOf, type KeyValues } from '../support/types/key-values';

const STRICT = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO';

const TURNS = 8;
const STATEMENTS = 8;
const MOST_KEYS = 30;

/** Two keys are one to the server; the values that NO_ZERO_DATE and the like refuse are not tried. */
const DUPLICATE = 1062;

for (const flavor of availableFlavors()) {
  describe(`keys that are hard to tell apart, out of the binary log of ${flavor}`, function () {
    this.timeout(180_000);
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode: 'binlog' })));
    after(() => server.stop());

    for (const [number, kind] of keyValuesOf(flavor).entries()) {
      it(`${kind.what}: every row is as after a native ALTER`, async () => {
        const names = kind.columns.map((_, i) => `k${i}`);
        const test = await TestTable.create(server, {
          columns: [
            'n INT NOT NULL',
            ...kind.columns.map((definition, i) => `k${i} ${definition}`),
            'note VARCHAR(20) NULL',
            `PRIMARY KEY (${kind.primary ?? names.join(', ')})`,
          ].join(', '),
        });
        try {
          await test.query('CREATE TABLE twin LIKE emails');
          const twins = await Twins.of(test, kind, 20_240_101 + number);
          await twins.fill();
          const writing = duringCopy(test.knex, (turn) => twins.write(turn), TURNS, TURNS);
          const alter = kind.alter ?? 'ADD COLUMN extra INT NULL FIRST';
          const events = new LargeHadronEvents();
          const different: unknown[] = [];
          events.on('different', ({ keys }) => different.push(keys));
          const { verified } = await test.migrate(alter, { chunk: { rows: 2 }, verify: { rows: 5 }, events });
          expect(verified.notCompared).to.equal(0);
          expect(verified.rechecked).to.be.above(1);
          expect(different, 'rows that differ').to.deep.equal([]);
          expect(writing.turns).to.be.above(1);
          expect(twins.done).to.be.above(4);
          await test.query(`ALTER TABLE twin ${alter}`);
          expect(await twins.rows('emails')).to.deep.equal(await twins.rows('twin'));
          await expectNoLeaks(test);
        } finally {
          await test.drop();
        }
      });
    }
  });
}

/** The table and another one to which the same is done; what the one refuses, the other must. */
class Twins {
  /** Statements that were done. */
  done = 0;
  private next = 0;

  private constructor(
    private readonly test: TestTable,
    private readonly sql: Connection,
    private readonly kind: KeyValues,
    private readonly keys: readonly (readonly string[])[],
    private seed: number,
  ) {}

  static async of(test: TestTable, kind: KeyValues, seed: number): Promise<Twins> {
    const { zone = '+05:00', sqlMode = STRICT } = kind;
    if (zone === 'Europe/Berlin') for (const statement of BERLIN) await test.query(statement);
    await test.query("SET SESSION time_zone = '+00:00'");
    await test.query('CREATE TABLE instants (n INT PRIMARY KEY, at TIMESTAMP NOT NULL)');
    await test.query("INSERT INTO instants VALUES (1, '2024-10-27 00:30:00'), (2, '2024-10-27 01:30:00')");
    const sql = await test.connect();
    await sql.query(`SET SESSION time_zone = '${zone}', SESSION sql_mode = '${sqlMode}'`);
    const combined = kind.values.reduce<readonly (readonly string[])[]>(
      (keys, values) => keys.flatMap((key) => values.map((value) => [...key, value])),
      [[]],
    );
    return new Twins(test, sql, kind, combined.slice(0, MOST_KEYS), seed);
  }

  /** Every other key; of those that are one to the server only the first. */
  async fill(): Promise<void> {
    for (const key of this.keys.filter((_, i) => i % 3 !== 1)) await this.both(this.insert(key));
  }

  async write(turn: number): Promise<void> {
    const image = ['FULL', 'MINIMAL', 'NOBLOB'][turn % 3]!;
    await this.sql.query(`SET SESSION binlog_row_image = '${image}'`);
    for (let i = 0; i < STATEMENTS; i++) await this.both(this.statement());
  }

  /** Every column, byte by byte. */
  async rows(table: string): Promise<string[]> {
    const shown = this.kind.columns.map((definition, i) =>
      /^(BIT|ENUM)/.test(definition)
        ? `HEX(k${i} + 0)`
        : /CHAR|BINARY/.test(definition)
          ? `HEX(k${i})`
          : `CAST(k${i} AS CHAR)`,
    );
    await this.test.query("SET SESSION time_zone = '+00:00'");
    const rows = await this.test.query(
      `SELECT n, note, ${shown.map((sql, i) => `${sql} AS k${i}`).join(', ')} FROM ${table}`,
    );
    return rows.map((row) => JSON.stringify(row)).sort();
  }

  private statement(): string {
    const [key, other] = [this.pick(), this.pick()];
    const n = ++this.next;
    switch (this.random(8)) {
      case 0:
        return this.insert(key);
      case 1:
        return `DELETE FROM ! WHERE ${this.is(key)}`;
      case 2:
        return this.insert(key, 'REPLACE');
      case 3:
        return `${this.insert(key)} ON DUPLICATE KEY UPDATE n = n + 1000, ${this.becomes(key)}`;
      case 4:
        return `UPDATE ! SET n = n + 1000, note = '${n}' WHERE ${this.is(key)}`;
      case 5:
        return `UPDATE ! SET ${this.becomes(key)} WHERE ${this.is(key)}`;
      default:
        return `UPDATE ! SET ${this.becomes(other)}, note = 'moved ${n}' WHERE ${this.is(key)}`;
    }
  }

  private insert(key: readonly string[], verb = 'INSERT'): string {
    return `${verb} INTO ! (${key.map((_, i) => `k${i}`).join(', ')}, n) VALUES (${key.join(', ')}, ${++this.next})`;
  }

  private is(key: readonly string[]): string {
    return key.map((value, i) => `k${i} = ${value}`).join(' AND ');
  }

  private becomes(key: readonly string[]): string {
    return key.map((value, i) => `k${i} = ${value}`).join(', ');
  }

  private async both(statement: string): Promise<void> {
    const errors: number[] = [];
    for (const table of ['emails', 'twin']) errors.push(await this.run(statement.replace('!', table)));
    expect(errors[0], statement).to.equal(errors[1]);
    if (errors[0] === 0) this.done += 1;
  }

  private async run(statement: string): Promise<number> {
    try {
      await this.sql.query(statement);
      return 0;
    } catch (error) {
      const { errno } = error as { errno?: number };
      if (errno !== DUPLICATE) throw error;
      return errno;
    }
  }

  private pick(): readonly string[] {
    return this.keys[this.random(this.keys.length)]!;
  }

  /** The same ones with every run: from 0 up to below `n`. */
  private random(n: number): number {
    this.seed = (Math.imul(this.seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.seed / 2 ** 32) * n);
  }
}
