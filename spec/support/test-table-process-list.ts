import type { TestTable } from './test-table';

export interface ListedConnection {
  readonly Id: number;
  readonly State: string | null;
  readonly Info: string | null;
}

/** Looked at before what must happen has to have happened. */
const ROUNDS = 2400;
const BETWEEN_MS = 25;

/**
 * Connections to the test's database that the library has opened, oldest first: the observer, which holds the
 * advisory lock, then the work session, then others. The test's own are left out by their ids.
 */
export async function migrationConnections(
  test: TestTable,
  own: readonly number[] = [],
): Promise<ListedConnection[]> {
  const rows = await test.query<ListedConnection & { db: string | null }>('SHOW FULL PROCESSLIST');
  return rows
    .filter(({ Id, db }) => db === test.database && Id !== test.adminId && !own.includes(Id))
    .sort((a, b) => a.Id - b.Id);
}

/** Waits until a connection of the library runs a statement like this and waits for a table's lock with it. */
export async function untilWaiting(test: TestTable, statement: RegExp): Promise<ListedConnection> {
  return until(`a connection that waits with ${String(statement)}`, async () => {
    const found = await migrationConnections(test);
    return found.find(({ Info, State }) => statement.test(Info ?? '') && /metadata lock/i.test(State ?? ''));
  });
}

/**
 * Asks again and again until there is an answer, but not for ever.
 *
 * @param betweenMs above 100 for INNODB_TRX: it is a cache that is renewed only when nobody has read it for so long
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  betweenMs = BETWEEN_MS,
): Promise<T> {
  for (let round = 0; round < ROUNDS; round++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, betweenMs));
  }
  throw new Error(`waited in vain for ${what}`);
}
