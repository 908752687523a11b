import { randomUUID } from 'node:crypto';
import { AdvisoryLock } from '../database/advisory-lock';
import type { Database } from '../database/database';
import { liveLock, withBoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { messageOf } from '../database/server-error';
import { qualified } from '../database/sql';
import { debugLog } from '../events/debug-log';
import type { Leftover } from '../errors';
import { tableOfState } from '../state/state-table';
import { leftByRun, removeDeadRun } from './dead-run';
import { isOldTableOf, oldTables, type OldTable } from './old-tables';
import { clock } from '../util/clock';

const log = debugLog('migration');

/**
 * What is found is taken for dead when nobody has come for the lock for so long, in ms: a run that has lost its connections
 * lives on, and takes its lock again as soon as it has others.
 */
const DEAD_AFTER_MS = 1000;

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
  /**
   * Originals that were kept, the oldest first, and whether this call dropped each; of tables that are being migrated right
   * now, none.
   */
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
  // Before it is looked who is running: the old table of a run that begins later bears a later name.
  const before = await oldTables(session, schema, table);
  for (const name of table === null ? await tablesWithState(session, schema) : [table]) {
    const lock = new AdvisoryLock(session, schema, name);
    if (table !== null) await lock.acquire(`${schema}.${name}`);
    else if (!(await lock.tryAcquire())) {
      alive.push(name);
      continue;
    }
    const names = { schema, table: name };
    try {
      if ((await leftByRun(session, names)).length > 0) {
        await lock.release();
        await clock.sleep(DEAD_AFTER_MS);
        if (table !== null) await lock.acquire(`${schema}.${name}`);
        else if (!(await lock.tryAcquire())) {
          alive.push(name);
          continue;
        }
      }
      removed.push(
        ...(dryRun
          ? await leftByRun(session, names)
          : await removeDeadRun(session, database.server, names, randomUUID(), liveLock(Infinity))),
      );
    } finally {
      // It goes with the session at the latest.
      await lock.release().catch(() => undefined);
    }
  }
  const kept = await keptForGood(session, request, before, alive);
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
  return { removed, alive: alive.map((name) => `${schema}.${name}`), oldTables: result };
}

/**
 * What bears an old table's name in the middle of a swap may be the original, with every row there is, or the sentry; what
 * a run that is dead has left so, is put right by now.
 *
 * @param before what bore such names before it was looked who is running
 * @param alive tables that are being migrated
 */
async function keptForGood(
  session: Session,
  { schema, table }: CleanUpRequest,
  before: readonly OldTable[],
  alive: readonly string[],
): Promise<OldTable[]> {
  const known = new Set(before.map(({ name }) => name));
  return (await oldTables(session, schema, table)).filter(
    ({ name }) => known.has(name) && !alive.some((running) => isOldTableOf(running, name)),
  );
}

/** What is left of dead runs after a clean-up that failed; empty where the server cannot be asked. */
export async function stillLeft(
  database: Database,
  { schema, table }: Pick<CleanUpRequest, 'schema' | 'table'>,
): Promise<Leftover[]> {
  const left: Leftover[] = [];
  try {
    const session = await database.open('clean-up');
    for (const name of table === null ? await tablesWithState(session, schema) : [table]) {
      const lock = new AdvisoryLock(session, schema, name);
      // What a live run has created is not left over; a connection of ours that was just lost is soon gone.
      if (!(await lock.tryAcquire(1))) continue;
      left.push(...(await leftByRun(session, { schema, table: name })));
      await lock.release();
    }
  } catch (error) {
    // The error that led here is the one that counts.
    log('what is left could not be listed: %s', messageOf(error));
  }
  return left;
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
