import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import { triggerFacts } from './trigger-facts';
import type { TestTable } from '../test-table';

/** What the triggers of `auditTable` write down, and how often. */
export type Counts = Readonly<Record<string, number>>;

const INTO = 'INSERT INTO audit (what, row_id) VALUES';

/**
 * An audit trail kept by triggers of every time and event, two of some in an order of their own. A row without a note
 * gets one by a BEFORE trigger, and the order shows in it.
 */
const NOTES = [
  "CREATE TRIGGER emails_note BEFORE INSERT ON emails FOR EACH ROW SET NEW.note = CONCAT(COALESCE(NEW.note, ''), 'b')",
  "CREATE TRIGGER emails_note_first BEFORE INSERT ON emails FOR EACH ROW PRECEDES emails_note SET NEW.note = CONCAT(COALESCE(NEW.note, ''), 'a')",
  'CREATE TRIGGER emails_bu BEFORE UPDATE ON emails FOR EACH ROW SET NEW.size = NEW.size + 1000',
];

const TRAIL = [
  `CREATE TRIGGER emails_ai AFTER INSERT ON emails FOR EACH ROW ${INTO} ('insert', NEW.id)`,
  `CREATE TRIGGER emails_au2 AFTER UPDATE ON emails FOR EACH ROW ${INTO} ('update 2', NEW.id)`,
  `CREATE TRIGGER emails_au1 AFTER UPDATE ON emails FOR EACH ROW PRECEDES emails_au2 ${INTO} ('update 1', NEW.id)`,
  `CREATE TRIGGER emails_bd BEFORE DELETE ON emails FOR EACH ROW BEGIN ${INTO} ('delete', OLD.id); END`,
];

/** Makes the test's table one that keeps an audit trail; without the notes there are fewer triggers. */
export async function auditTable(test: TestTable, notes = true): Promise<unknown[]> {
  await test.query('CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20), row_id INT)');
  for (const sql of [...(notes ? NOTES : []), ...TRAIL]) await test.query(sql);
  return triggerFacts(test);
}

/** What the trail holds. */
export async function auditCounts(test: TestTable): Promise<Counts> {
  const rows = await test.query<{ what: string; times: number }>(
    'SELECT what, COUNT(*) AS times FROM audit GROUP BY what ORDER BY what',
  );
  return Object.fromEntries(rows.map(({ what, times }) => [what, times]));
}

/** Two triggers of the same time and event must have fired in their order, each time. */
export async function expectInOrder(test: TestTable, notes = true): Promise<void> {
  const [row] = await test.query<{ wrong: number }>(
    `SELECT COUNT(*) AS wrong FROM audit AS one LEFT JOIN audit AS two ON two.id = (SELECT MIN(id) FROM audit AS x
       WHERE x.id > one.id AND x.row_id = one.row_id) WHERE one.what = 'update 1' AND COALESCE(two.what, '') <> 'update 2'`,
  );
  expect(Number(row?.wrong), 'updates noted in the wrong order').to.equal(0);
  if (!notes) return;
  const [noted] = await test.query<{ wrong: number }>(
    "SELECT COUNT(*) AS wrong FROM emails WHERE id >= 1000 AND note NOT LIKE '%ab'",
  );
  expect(Number(noted?.wrong), 'notes made in the wrong order').to.equal(0);
}

/** The same writes on whichever table bears the name, and what the trail must say of them. */
export async function writeAudited(test: TestTable, from: number): Promise<Counts> {
  await test.query('INSERT INTO emails (id, address) VALUES (?, ?), (?, ?)', [from, 'a', from + 1, 'b']);
  await test.query('UPDATE emails SET size = size + 1 WHERE id IN (?, ?)', [from, from + 1]);
  await test.query('DELETE FROM emails WHERE id = ?', [from]);
  return { insert: 2, 'update 1': 2, 'update 2': 2, delete: 1 };
}

export function sum(...all: readonly Counts[]): Counts {
  const total: Record<string, number> = {};
  for (const counts of all) {
    for (const [what, times] of Object.entries(counts)) total[what] = (total[what] ?? 0) + times;
  }
  return total;
}

/** Writers that count what was acknowledged to them, until they are told to stop. */
export class AuditedWriters {
  private stopped = false;
  private readonly counts: Record<string, number> = {};
  private readonly ended: Promise<void>[] = [];
  /** Answers that are no acknowledgement, by their number. */
  readonly errors: Record<string, number> = {};

  static async start(test: TestTable, writers: number): Promise<AuditedWriters> {
    const all = new AuditedWriters();
    for (let number = 0; number < writers; number++) {
      const client = await test.connect();
      // Ids of their own, so that each knows its rows.
      all.ended.push(all.write(client, 1000 + number, writers));
    }
    return all;
  }

  /** @returns what the trail must hold */
  async stop(): Promise<Counts> {
    this.stopped = true;
    await Promise.all(this.ended);
    return this.counts;
  }

  get acknowledged(): number {
    return Object.values(this.counts).reduce((total, times) => total + times, 0);
  }

  private async write(client: Connection, first: number, step: number): Promise<void> {
    for (let round = 0; !this.stopped; round++) {
      const id = first + round * step;
      await this.act(client, `INSERT INTO emails (id, address, size) VALUES (${id}, 'w', 1)`, ['insert']);
      await this.act(client, `UPDATE emails SET size = size + 1 WHERE id = ${id}`, ['update 1', 'update 2']);
      await this.act(client, `REPLACE INTO emails (id, address, size) VALUES (${id}, 'r', 1)`, [
        'delete',
        'insert',
      ]);
      await this.act(
        client,
        `INSERT INTO emails (id, address) VALUES (${id}, 'd') ON DUPLICATE KEY UPDATE size = 7`,
        ['update 1', 'update 2'],
      );
      if (round % 3 === 0) await this.act(client, `DELETE FROM emails WHERE id = ${id}`, ['delete']);
      await client.query('BEGIN');
      await this.act(client, `UPDATE emails SET size = 0 WHERE id = ${1 + (id % 30)}`, []);
      await client.query('ROLLBACK');
    }
  }

  private async act(client: Connection, sql: string, counted: readonly string[]): Promise<void> {
    for (;;) {
      try {
        await client.query(sql);
        for (const what of counted) this.counts[what] = (this.counts[what] ?? 0) + 1;
        return;
      } catch (error) {
        const number = String((error as { errno?: number }).errno);
        this.errors[number] = (this.errors[number] ?? 0) + 1;
        // Deadlocks and older read views, as after any ALTER; the statement is done again.
        if (!['1213', '1412', '1020', '1205'].includes(number)) throw error;
      }
    }
  }
}
