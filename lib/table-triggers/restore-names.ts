import type { TriggerTurn } from '../changes/triggers/trigger-turn';
import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import { errorNumber } from '../database/server-error';
import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { wholeRead } from '../database/whole-read';
import { unlockTables } from '../database/unlock-tables';
import { debugLog } from '../events/debug-log';
import { readTableTypes } from '../schema/read-table-schema';
import { clock } from '../util/clock';
import { asCreated } from './creation-context';
import type { CarriedTrigger } from './table-trigger';
import { createGuard, createReal, dropTrigger } from './trigger-sql';

const log = debugLog('table-triggers');

/** How long the application may be kept waiting at a time, in ms: then it gets a turn before the next trigger. */
const LOCK_BUDGET_MS = 150;

/** The tables after the swap. */
export interface SwappedTables {
  readonly schema: string;
  /** The new table under the name of the old one. */
  readonly table: string;
  readonly old: string;
}

/**
 * Gives the new table's triggers their own names, which the old table's bear until now. Under a lock on both; and in such
 * an order that even if the connection ends between two statements, each of them acts exactly once for every row.
 *
 * May be repeated, by whoever knows the note: what is done is seen from which triggers there are.
 */
export async function restoreNames(
  session: Session,
  tables: SwappedTables,
  triggers: readonly CarriedTrigger[],
  bound: BoundedLock,
  turn: TriggerTurn,
): Promise<void> {
  const { schema, table, old } = tables;
  for (;;) {
    const left = await unfinished(session, tables, triggers);
    if (left.length === 0) return;
    const kept = (await readTableTypes(session, schema, [old])).has(old);
    const locked = [table, ...(kept ? [old] : [])].map((name) => `${qualified(schema, name)} WRITE`);
    await turn.take();
    try {
      await withBoundedLock(session, bound, () => session.execute(`LOCK TABLES ${locked.join(', ')}`));
      const until = clock.monotonic() + LOCK_BUDGET_MS;
      for (const trigger of left) {
        await restore(session, tables, trigger);
        if (clock.monotonic() > until) break;
      }
    } finally {
      await unlockTables(session);
      await turn.end();
    }
  }
}

/** Those that are not there under their own names alone. One whose every form is gone was dropped on purpose. */
async function unfinished(
  session: Session,
  { schema, table }: SwappedTables,
  triggers: readonly CarriedTrigger[],
): Promise<CarriedTrigger[]> {
  const left: CarriedTrigger[] = [];
  for (const trigger of triggers) {
    const found = await whereIs(session, schema, trigger);
    if (found(trigger.standIn) === table || found(trigger.guard) === table) left.push(trigger);
  }
  return left;
}

/** Every statement leaves exactly one of the three acting; see `createGuard`. */
async function restore(
  session: Session,
  { schema, table, old }: SwappedTables,
  trigger: CarriedTrigger,
): Promise<void> {
  const found = await whereIs(session, schema, trigger);
  const is = (name: string): boolean => found(name) === table;
  const done = is(trigger.name);
  const drop = (name: string): Promise<unknown> => session.execute(dropTrigger(schema, name));
  await asCreated(session, schema, trigger, async (create) => {
    let guarded = is(trigger.guard);
    if (is(trigger.standIn) && !done) {
      if (!guarded) await beside(create, createGuard(schema, table, trigger));
      guarded = true;
    }
    if (is(trigger.standIn)) await drop(trigger.standIn);
    if (!done && found(trigger.name) === old) await drop(trigger.name);
    if (!done) await beside(create, createReal(trigger));
    if (guarded) await drop(trigger.guard);
  });
  log('%s bears its own name', trigger.name);
}

/** Which table has a trigger of this name. */
async function whereIs(
  session: Session,
  schema: string,
  { name, standIn, guard }: CarriedTrigger,
): Promise<(name: string) => string | undefined> {
  const rows = await wholeRead<{ name: string; on: string }>(
    session,
    'SELECT TRIGGER_NAME AS `name`, EVENT_OBJECT_TABLE AS `on` FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND TRIGGER_NAME IN (?)',
    [schema, [name, standIn, guard]],
  );
  return (wanted) => rows.find((row) => row.name === wanted)?.on;
}

const NO_SUCH_PLACE = 3011;

/**
 * Under LOCK TABLES MySQL 9 does not find the trigger beside which one is to be created, if a trigger reads the table
 * itself: the table is then open twice, once without its triggers. The first attempt has it opened anew.
 */
async function beside(create: (sql: string) => Promise<void>, sql: string): Promise<void> {
  try {
    await create(sql);
  } catch (error) {
    if (errorNumber(error) !== NO_SUCH_PLACE) throw error;
    await create(sql);
  }
}
