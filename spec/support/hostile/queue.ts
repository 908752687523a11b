import type { Knex } from 'knex';
import type { Connection } from 'mysql2/promise';

import type { TestTable } from '../test-table';
import { until, untilWaiting } from '../test-table-process-list';
import { intercept } from '../test-table-statements';

/** A statement of somebody else that waits for the table. */
export interface Queued {
  /** The error number it ended with; 0 when it was acknowledged, null while it waits. */
  ended: number | null;
  readonly end: Promise<void>;
}

/** Sends a statement on a connection, and resolves when it waits for the table's lock. */
export async function queueUp(test: TestTable, client: Connection, sql: string): Promise<Queued> {
  const queued: { ended: number | null; end: Promise<void> } = { ended: null, end: Promise.resolve() };
  queued.end = client.query(sql).then(
    () => void (queued.ended = 0),
    (error: unknown) => void (queued.ended = (error as { errno: number }).errno),
  );
  await until(`${sql} to wait`, async () => {
    if (queued.ended !== null) return true;
    const rows = await test.query<{ Id: number; State: string | null }>('SHOW PROCESSLIST');
    return rows.some(({ Id, State }) => Id === client.threadId && /^Waiting for table/.test(State ?? ''))
      ? true
      : undefined;
  });
  return queued;
}

/** Where the statement takes its place among those that wait for the table. */
export type Place = 'before the lock is asked for' | 'while the lock is held' | 'behind the RENAME';

/** Makes it wait there; resolves with how that ended once the migration has. */
export function queueAt(test: TestTable, knex: Knex, place: Place, sql: string): () => Promise<Queued> {
  let queued: Queued | undefined;
  const act = async (): Promise<void> => {
    queued = await queueUp(test, await test.connect(), sql);
  };
  if (place === 'before the lock is asked for') {
    intercept(knex, {
      ...{ match: /^LOCK TABLES .*_lhmn/, when: 'before' },
      run: async () => {
        const holder = await test.connect();
        await holder.query('START TRANSACTION');
        await holder.query('SELECT COUNT(*) FROM emails');
        await act();
        void untilWaiting(test, /^LOCK TABLES .*_lhmn/).then(() => holder.query('COMMIT'));
      },
    });
  } else if (place === 'while the lock is held') {
    // Once everything was looked at, and before the RENAME.
    intercept(knex, { match: /^RENAME TABLE/, when: 'before', run: act });
  } else {
    intercept(knex, { match: /^DROP TABLE .*_lhmo_/, when: 'before', run: act });
  }
  return async () => {
    if (queued === undefined) throw new Error('the place was not reached');
    await queued.end;
    return queued;
  };
}
