import { randomUUID } from 'node:crypto';
import { AdvisoryLock } from '../database/advisory-lock';
import type { Database } from '../database/database';
import { liveLock, withBoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { Refusal, type Leftover } from '../errors';
import { tableOfState } from '../state/state-table';
import { leftByRun, removeDeadRun } from './dead-run';
import { oldTables, type OldTable } from './old-tables';
import { clock } from '../util/clock';

export interface CleanUpRequest {
  readonly schema: string;
  /** null for every table of the schema. */
  readonly table: string | null;
  /** Old tables of at least this age are dropped; null keeps them all. */
  readonly dropOlderThanMs: number | null;
  readonly dryRun: boolean;
}

/** What was removed, and what is there. */
export interface CleanUpResult {
  /** Tables and triggers that dead runs had left; with `dryRun` what would be removed. */
  readonly removed: readonly Leftover[];
  /** Tables, as `schema.table`, that are being migrated right now; nothing of theirs was touched. */
  readonly alive: readonly string[];
  /** Originals that were kept, the oldest first, and whether this call dropped each. */
  readonly oldTables: readonly (OldTable & { readonly dropped: boolean })[];
}

/**
 * Removes what dead runs left, and old tables of some age. Every lock on a live table is asked for a second at a time.
 *
 * @throws Refusal LHM_ALREADY_RUNNING when the one table asked for is being migrated
 */
export async function cleanUp(database: Database, request: CleanUpRequest): Promise<CleanUpResult> {
  const { schema, table, dropOlderThanMs, dryRun } = request;
  const session = await database.open('clean-up');
  const removed: Leftover[] = [];
  const alive: string[] = [];
  for (const name of table === null ? await tablesWithState(session, schema) : [table]) {
    const lock = new AdvisoryLock(session, schema, name);
    try {
      await lock.acquire(`${schema}.${name}`);
    } catch (error) {
      if (table !== null || !(error instanceof Refusal)) throw error;
      alive.push(`${schema}.${name}`);
      continue;
    }
    const names = { schema, table: name };
    removed.push(
      ...(dryRun
        ? await leftByRun(session, names)
        : await removeDeadRun(session, names, randomUUID(), liveLock(Infinity))),
    );
    await lock.release();
  }
  const kept = await oldTables(session, schema, table);
  const now = clock.now();
  const result: (OldTable & { dropped: boolean })[] = [];
  for (const old of kept) {
    const dropped = !dryRun && dropOlderThanMs !== null && now - old.since.getTime() >= dropOlderThanMs;
    if (dropped) {
      await withBoundedLock(session, liveLock(Infinity), () =>
        session.execute(`DROP TABLE ${qualified(schema, old.name)}`),
      );
    }
    result.push({ ...old, dropped });
  }
  return { removed, alive, oldTables: result };
}

/** Tables of which some run has left its state, or is running. */
async function tablesWithState(session: Session, schema: string): Promise<string[]> {
  const rows = await session.query<{ comment: string }>(
    `SELECT TABLE_COMMENT AS comment FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE '%\\_lhms' ORDER BY TABLE_NAME`,
    [schema],
  );
  return rows.flatMap(({ comment }) => tableOfState(comment) ?? []);
}
