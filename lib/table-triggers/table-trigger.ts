import { createHash } from 'node:crypto';
import { timestampIn, type DerivedNames } from '../schema/derived-names';

/** What a trigger is created under, and keeps. */
export interface CreationContext {
  readonly sqlMode: string;
  /** `character_set_client`, in which the text was sent. */
  readonly charset: string;
  /** `collation_connection` */
  readonly collation: string;
}

/** One of the table's own triggers, with everything that it takes to make the same one again. */
export interface TableTrigger extends CreationContext {
  readonly name: string;
  /** `BEFORE INSERT` …; several where the server lets one trigger serve several events. */
  readonly when: readonly string[];
  /** `user@host` */
  readonly definer: string;
  /** The database's default at that time, which a new trigger gets from the database as it is now. */
  readonly databaseCollation: string;
  /** SHOW CREATE TRIGGER, as it came. */
  readonly definition: string;
  /** When it was made, as the server says it. */
  readonly created: string;
}

/**
 * A trigger that changes tables. Names are unique in a schema and no trigger can be renamed, so the new table's bears a
 * stand-in's name as long as the old table's is there.
 */
export interface CarriedTrigger extends TableTrigger {
  /** The same trigger under a name of ours. */
  readonly standIn: string;
  /** The same trigger again, which acts only while neither of the two others is there. */
  readonly guard: string;
}

/** What the triggers' step of the cut-over writes down. */
export interface TriggersNote {
  readonly triggers: readonly CarriedTrigger[];
}

/** The step's name in the state table. */
export const TRIGGERS_STEP = 'triggers';

/**
 * Gives every trigger the names that it bears on the way. They hold the run's timestamp, so nobody else's are met; and no
 * character that would have to be quoted, see `trigger-sql.ts`.
 */
export function withStandIns(
  table: string,
  names: DerivedNames,
  triggers: readonly TableTrigger[],
): CarriedTrigger[] {
  const run = `${timestampIn(names)}_${createHash('sha256').update(table).digest('hex').slice(0, 8)}`;
  return triggers.map((trigger, i) => ({
    ...trigger,
    standIn: `lhmt_${run}_${i + 1}`,
    guard: `lhmg_${run}_${i + 1}`,
  }));
}
