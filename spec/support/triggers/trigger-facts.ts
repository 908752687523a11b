import type { TestTable } from '../test-table';
import { quote } from '../test-table';

/** Everything that the server says of a table's triggers, but when they were made. */
export async function triggerFacts(test: TestTable, table = test.table): Promise<unknown[]> {
  const rows = await test.query<{ name: string; ordinal: number; timing: string; event: string }>(
    `SELECT TRIGGER_NAME AS name, ACTION_ORDER AS ordinal, ACTION_TIMING AS timing, EVENT_MANIPULATION AS event
       FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?
      ORDER BY EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER`,
    [test.database, table],
  );
  const facts: unknown[] = [];
  for (const row of rows) {
    const [shown] = await test.query<Record<string, string>>(`SHOW CREATE TRIGGER ${quote(row.name)}`);
    facts.push({ ...row, ...shown, Created: null });
  }
  return facts;
}

/** The names of all triggers in the database. */
export async function triggersOf(test: TestTable): Promise<string[]> {
  const rows = await test.query<{ name: string }>(
    'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? ORDER BY 1',
    [test.database],
  );
  return rows.map(({ name }) => name);
}
