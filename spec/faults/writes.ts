import type { TestTable } from '../support/test-table';

/** What the application does to the table, and the test to a copy that is not migrated. May be done again and again. */
const WRITES = [
  'UPDATE # SET size = size + 1 WHERE id IN (2, 7, 11)',
  "REPLACE INTO # (id, address) VALUES (12, 'replaced')",
  'DELETE FROM # WHERE id = 5',
  "INSERT INTO # (id, address, size) VALUES (5, 'again', 1)",
  'UPDATE # SET id = 41 - id WHERE id IN (20, 21)',
];

/** The name of the copy. */
export const COPY = 'copy';

/** How long the library is held up by writes that wait for it, in ms. */
const MOST_WAIT_MS = 50;

/** An application that writes while a statement fails. */
export interface Writing {
  begin(): Promise<void>;
  write(): Promise<void>;
  done(): Promise<void>;
}

const nothing = (): Promise<void> => Promise.resolve();

export const NO_WRITES: Writing = { begin: nothing, write: nothing, done: nothing };

/** Writes to both tables, one after the other: those that a lock holds up come before those that are made later. */
export class Writes implements Writing {
  private last: Promise<void> = Promise.resolve();

  private constructor(private readonly test: TestTable) {}

  static async prepare(test: TestTable): Promise<Writes> {
    await test.query("INSERT INTO emails (id, address) VALUES (20, 'wanders')");
    await test.query(`CREATE TABLE ${COPY} LIKE emails`);
    await test.query(`INSERT INTO ${COPY} SELECT * FROM emails`);
    return new Writes(test);
  }

  /** Resolves when all of them are done, these included. */
  done(): Promise<void> {
    return this.last;
  }

  write(): Promise<void> {
    this.last = this.last.then(() => this.writeAll());
    return this.last;
  }

  /** Begins to write, and does not wait for long: the table may be locked. */
  async begin(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, MOST_WAIT_MS)));
    await Promise.race([this.write(), patience]);
    clearTimeout(timer);
  }

  private async writeAll(): Promise<void> {
    const client = await this.test.connect();
    for (const sql of WRITES) {
      await client.query('START TRANSACTION');
      for (const table of [this.test.table, COPY]) await client.query(sql.replace('#', table));
      await client.query('COMMIT');
    }
    await client.end();
  }
}
