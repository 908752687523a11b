import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import { errorNumber } from '../database/server-error';
import { patientSession } from '../database/patient-session';
import { qualified } from '../database/sql';
import { wholeRead } from '../database/whole-read';
import type { Leftover } from '../errors';
import { debugLog } from '../events/debug-log';
import { derivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import { readTableTypes, readTriggers } from '../schema/read-table-schema';
import { readRecord, tableOfState, takeOver, type MigrationRecord } from '../state/state-table';
import { Refusal } from '../errors';
import { Cleaner } from './cleaner';
import { settleTest } from './replica-test';
import { settleSteps } from './settle-steps';
import { halfSwapped } from '../cut-over/half-swapped';
import { settleSwap } from '../cut-over/settle-swap';

const log = debugLog('migration');

/** The name of a table's state table is the same in every run. */
function stateNameOf(table: string): string {
  return derivedNames(table, '').state;
}

/**
 * What a run left whose process is gone, or what a running one has created: its state table names everything, so
 * nothing of anybody else's is ever listed. Empty when there is none.
 */
export async function leftByRun(session: Session, { schema, table }: TableName): Promise<Leftover[]> {
  const state = stateNameOf(table);
  const found = await readTableTypes(session, schema, [state]);
  if (tableOfState(found.get(state)?.comment ?? '') !== table) return [];
  const record = await readRecord(session, schema, state);
  if (record !== null) return new Cleaner(schema, table, record.names, NO_LOCK).leftovers(session);
  return [{ kind: 'table', name: `${schema}.${state}`, sql: `DROP TABLE ${qualified(schema, state)}` }];
}

/** A trigger on the state table tried whether the definer may; it must not run when the table is written to now. */
async function removeProbe(session: Session, schema: string, state: string): Promise<void> {
  for (const { name } of await readTriggers(session, { schema, table: state })) {
    await session.execute(`DROP TRIGGER ${qualified(schema, name)}`);
  }
}

/**
 * What MariaDB keeps of triggers of a table that it was interrupted in dropping, where that table is one of ours: nobody could
 * create them again, and so no migration of the table begin.
 */
async function dropOrphans(session: Session, schema: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const trigger = qualified(schema, name);
    try {
      await session.query(`SHOW CREATE TRIGGER ${trigger}`);
    } catch (error) {
      // Whatever else may be wrong, the preflight says better.
      if (session.lost) throw error;
      if (errorNumber(error) === NO_SUCH_TABLE) await session.execute(`DROP TRIGGER IF EXISTS ${trigger}`);
    }
  }
}

const NO_SUCH_TABLE = 1146;

/**
 * Triggers that the server lists no more and does not let anybody create: what MariaDB keeps of those of a table that it
 * could not open (docs/triggers.md). Their table has forgotten them, so no lock is taken.
 */
async function dropUnlisted(
  session: Session,
  schema: string,
  names: readonly string[],
  bound: BoundedLock,
): Promise<void> {
  const rows = await withBoundedLock(session, bound, () =>
    wholeRead<{ name: string }>(
      session,
      'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND TRIGGER_NAME IN (?)',
      [schema, names],
    ),
  );
  // MySQL, which forgets none, takes names for the same that differ in case or accents: these are another table's.
  if (rows.some(({ name }) => !names.includes(name))) return;
  for (const name of names) {
    if (rows.some((row) => row.name === name)) continue;
    await session.execute(`DROP TRIGGER IF EXISTS ${qualified(schema, name)}`);
  }
}

/**
 * Whether the tables were swapped and somebody has dropped the old one since, with the triggers that capture changes: a table
 * that was not swapped still has them when the new one is dropped, and before the cut-over there is nothing to finish.
 */
async function hasLostOld(
  session: Session,
  { schema, table }: TableName,
  { names, steps = {} }: MigrationRecord,
): Promise<boolean> {
  if (Object.keys(steps).length === 0) return false;
  if ((await readTableTypes(session, schema, [names.ghost, names.old])).size > 0) return false;
  const triggers = await readTriggers(session, { schema, table });
  return !triggers.some(({ name }) => Object.values(names.triggers).includes(name));
}

/** Listing takes no lock on a live table. */
const NO_LOCK: BoundedLock = {
  waitSeconds: 1,
  attempts: 1,
  giveUpAfterMs: 0,
  pause: () => Promise.resolve(),
};

/**
 * Removes what an earlier run of the same table left when its process was killed. The caller holds its advisory lock,
 * so that run is gone.
 *
 * @returns what there was
 */
export async function removeDeadRun(
  session: Session,
  server: ServerCapabilities,
  name: TableName,
  epoch: string,
  bound: BoundedLock,
): Promise<Leftover[]> {
  const left = await leftByRun(patientSession(session, bound), name);
  const { schema } = name;
  const state = stateNameOf(name.table);
  if (left.length === 0) {
    await dropOrphans(session, schema, [state, ...Object.values(derivedNames(name.table, '').gates)]);
    return left;
  }
  await removeProbe(session, schema, state);
  const record = await takeOver(session, schema, state, epoch);
  log('removing what the run of %s left', record?.startedAt ?? 'unknown time');
  // Without its row the dead run had created nothing but the state table.
  if (record === null) {
    await session.execute(`DROP TABLE ${qualified(schema, state)}`);
    return left;
  }
  const found = await settleSwap(session, { schema, origin: name, names: record.names }, bound);
  if (found === 'given-away') throw halfSwapped({ schema, origin: name, names: record.names });
  const lasting =
    found === 'swapped' ||
    (found === 'not-swapped' &&
      (await withBoundedLock(session, bound, () => hasLostOld(session, name, record))));
  const swapped = await settleTest({
    ...{ session, server, name, names: record.names, bound },
    ...{ swapped: found === 'swapped', lasting },
  });
  const orphans = await settleSteps(session, name, record.names, swapped, bound);
  await new Cleaner(schema, name.table, record.names, bound).removeAll(session);
  await dropUnlisted(session, schema, Object.values(record.names.triggers), bound);
  if (orphans.length > 0) {
    throw new Refusal(
      'LHM_FOREIGN_KEY_ORPHANS',
      `A run that was killed in its swap is cleaned up, and all foreign keys are in place again; while some were away, ${orphans.join('; ')}.`,
      'Correct or delete these rows, or leave them, and run again.',
    );
  }
  return left;
}
