import { expect } from 'chai';

import { AdvisoryLock } from '../../lib/database/advisory-lock';
import type { Session } from '../../lib/database/session';
import { quote, type TestTable } from './test-table';

/** What a migration may never leave behind: ghost, journal, changelog, state, recheck and scratch tables. */
const HELPER_TABLE = /_lhm[cnjsrx](_\d+)?$/;
const TRIGGER = /_lhmg?[iud]$|^lhm[tg]_\d+_[0-9a-f]{8}_\d+$/;

/** Looked at before a connection that was just closed must be gone from the process list. */
const ROUNDS = 100;
const BETWEEN_MS = 50;

/**
 * Checks, after a migration has ended in whatever way, that it left nothing: no helper tables, no triggers, no
 * sentry, no connections, no advisory lock, no metadata locks. Closes what the test itself has opened first.
 */
export async function expectNoLeaks(test: TestTable, kept: readonly string[] = []): Promise<void> {
  await test.closeClients();
  const helpers = (await test.tables()).filter((name) => HELPER_TABLE.test(name) && !kept.includes(name));
  expect(helpers, 'tables left').to.deep.equal([]);
  const triggers = (await test.triggers()).filter((name) => TRIGGER.test(name) && !kept.includes(name));
  expect(triggers, 'triggers left').to.deep.equal([]);
  expect(await sentries(test), 'sentries left').to.deep.equal([]);
  expect(await lingering(test), 'connections left').to.deep.equal([]);
  await expectUnlocked(test);
}

/** The old tables there are: names only, in the order in which they were made. */
export async function oldTables(test: TestTable): Promise<string[]> {
  return (await test.tables()).filter((name) => /_lhmo_\d+$/.test(name));
}

export async function sentries(test: TestTable): Promise<string[]> {
  const rows = await test.query<{ name: string }>(
    "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_COMMENT LIKE '%sentry%'",
    [test.database],
  );
  return rows.map((row) => row.name);
}

/** Connections to the test's database, and those without one that came after the administrator's. */
async function lingering(test: TestTable): Promise<unknown[]> {
  for (let round = 1; ; round++) {
    const rows = await test.query<{ Id: number; db: string | null; User: string; Command: string }>(
      'SHOW FULL PROCESSLIST',
    );
    const left = rows.filter(
      (row) =>
        row.Id !== test.adminId &&
        (row.db === test.database || (row.db === null && row.Id > test.adminId)) &&
        row.User !== 'system user' &&
        // That of a replica, which names no database.
        !(row.db === null && /^Binlog Dump/.test(row.Command)) &&
        row.User !== 'event_scheduler' &&
        row.Command !== 'Daemon',
    );
    if (left.length === 0 || round === ROUNDS) return left;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
}

/** Nobody holds the migration's named lock, and every table can be locked at once. */
async function expectUnlocked(test: TestTable): Promise<void> {
  const session = { query: (sql: string, values: readonly unknown[]) => test.query(sql, values) };
  const lock = new AdvisoryLock(session as unknown as Session, test.database, test.table);
  await lock.acquire('the table of the test');
  await test.query('SELECT RELEASE_ALL_LOCKS()');
  const tables = await test.query<{ name: string }>(
    "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE'",
    [test.database],
  );
  await test.query('SET SESSION lock_wait_timeout = 1');
  for (const { name } of tables) {
    await test.query(`LOCK TABLES ${quote(name)} WRITE`);
    await test.query('UNLOCK TABLES');
  }
}
