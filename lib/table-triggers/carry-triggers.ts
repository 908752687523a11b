import { TriggerTurn } from '../changes/triggers/trigger-turn';
import type { Deadline } from '../cut-over/deadline';
import type { LockedStep, Relative } from '../cut-over/locked-step';
import type { BoundedLock } from '../database/metadata-locks';
import { withBoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { wholeRead } from '../database/whole-read';
import { Refusal } from '../errors';
import type { TablePair } from '../schema/table-pair';
import type { StateTable } from '../state/state-table';
import { asCreated, inContext } from './creation-context';
import { readTableTriggers } from './read-table-triggers';
import { restoreNames } from './restore-names';
import { TRIGGERS_STEP, type CarriedTrigger, type TriggersNote } from './table-trigger';
import { createStandIn, dropTrigger } from './trigger-sql';
import { usedTables } from './used-tables';

/**
 * Lets the table's own triggers change hands with it: under the lock, when the last change has been applied, they are
 * made on the ghost under stand-in names, so that the new table has them from its first instant on; once it is there,
 * they get their own names.
 */
export class CarryTriggers implements LockedStep {
  readonly name = TRIGGERS_STEP;
  readonly needsLock =
    'the table has triggers: they must be on the new table when it is first written to, and must not fire on what is copied';
  private noted = false;
  private used: readonly Relative[] | null = null;
  private readonly turn: TriggerTurn;

  constructor(
    private readonly pair: TablePair,
    private readonly triggers: readonly CarriedTrigger[],
    private readonly work: Session,
    private readonly state: StateTable,
    private readonly turnsNeeded: boolean,
  ) {
    this.turn = new TriggerTurn(work, turnsNeeded);
  }

  relatives(): Promise<readonly Relative[]> {
    return Promise.resolve([]);
  }

  /** LOCK TABLES locks what the triggers use. */
  async alongside(): Promise<readonly Relative[]> {
    this.used ??= await usedTables(this.work, this.pair.schema, this.triggers);
    return this.used;
  }

  /** That they stay as they are from here on, the guard of the origin sees to. */
  async prepare(): Promise<void> {
    const { pair, work, triggers } = this;
    const name = { schema: pair.schema, table: pair.origin.table };
    const now = await readTableTriggers(work, name, Object.values(pair.names.triggers));
    await work.execute('COMMIT');
    const then = triggers.map(({ name, created, definition }) => ({ name, created, definition }));
    if (
      JSON.stringify(then) !==
      JSON.stringify(now.map(({ name, created, definition }) => ({ name, created, definition })))
    )
      throw changed(pair);
    if (!this.noted) {
      const note: TriggersNote = { triggers };
      await this.state.note(work, this.name, note);
      this.noted = true;
    }
    await this.turn.take();
  }

  async beforeSwap(deadline: Deadline): Promise<void> {
    const { pair, work, triggers } = this;
    const { schema, names } = pair;
    for (const alike of inContext(triggers)) {
      await asCreated(work, schema, alike[0], async (create) => {
        for (const trigger of alike) {
          await create(createStandIn(schema, names.ghost, trigger));
          deadline.check('creating the triggers');
        }
      });
    }
  }

  async atSwap(): Promise<void> {
    await this.turn.end();
  }

  async takeBack(session: Session, bound: BoundedLock): Promise<void> {
    const { schema, names } = this.pair;
    const rows = await wholeRead<{ name: string }>(
      session,
      'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?',
      [schema, names.ghost],
    );
    for (const { name } of rows) {
      await withBoundedLock(session, bound, () => session.execute(dropTrigger(schema, name)));
    }
    await this.turn.end();
  }

  async finish(session: Session, bound: BoundedLock): Promise<void> {
    await this.turn.end();
    const { schema, origin, names } = this.pair;
    const tables = { schema, table: origin.table, old: names.old };
    await restoreNames(session, tables, this.triggers, bound, new TriggerTurn(session, this.turnsNeeded));
  }
}

function changed(pair: TablePair): Refusal {
  return new Refusal(
    'LHM_TRIGGERS_CHANGED',
    `The triggers of '${pair.origin.table}' were changed by somebody else while it was migrated.`,
    'Nothing was swapped. Keep others from altering the table, and run again.',
  );
}
