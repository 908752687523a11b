import { qualified, text } from '../database/sql';
import type { CarriedTrigger, TableTrigger } from './table-trigger';
import { readTriggerText, type TriggerText } from './trigger-text';

/** "Table definition has changed, please retry transaction": what a native ALTER answers to an older read view. */
const TABLE_DEFINITION_CHANGED = 1412;

/** @throws when the text is not understood, which `tryTriggers` finds out before anything depends on it */
export function textOf(trigger: TableTrigger): TriggerText {
  const parsed = readTriggerText(trigger.definition, trigger.sqlMode);
  if (parsed === null) throw new Error(`the definition of trigger '${trigger.name}' is not understood`);
  return parsed;
}

/** The same trigger under its stand-in's name, the last of its kind on the table given. */
export function createStandIn(schema: string, table: string, trigger: CarriedTrigger): string {
  const { definer, when, body } = textOf(trigger);
  return `CREATE ${definer} TRIGGER ${qualified(schema, trigger.standIn)} ${when} ON ${qualified(schema, table)} FOR EACH ROW ${body}`;
}

/**
 * The same trigger once more, beside its stand-in, which acts only while neither the stand-in nor the real one is on the
 * table: so one of the three acts at every instant, and never two, whichever statement was the last.
 *
 * A transaction whose read view is older than the guard cannot see who is there (MySQL), and is told to be retried.
 */
export function createGuard(schema: string, table: string, trigger: CarriedTrigger): string {
  const { definer, when, body } = textOf(trigger);
  const there = (...names: string[]): string =>
    'EXISTS (SELECT 1 FROM information_schema.TRIGGERS' +
    ` WHERE EVENT_OBJECT_SCHEMA = ${literal(schema)} AND EVENT_OBJECT_TABLE = ${literal(table)}` +
    ` AND TRIGGER_SCHEMA = ${literal(schema)} AND TRIGGER_NAME IN (${names.map(literal).join(', ')}))`;
  // One IF in the other: ELSEIF is ELSIF under sql_mode ORACLE. The line break ends a comment in the body.
  return (
    `CREATE ${definer} TRIGGER ${qualified(schema, trigger.guard)} ${when} ON ${qualified(schema, table)} FOR EACH ROW` +
    ` PRECEDES ${trigger.standIn} BEGIN IF NOT ${there(trigger.guard)} THEN SIGNAL SQLSTATE 'HY000'` +
    ` SET MYSQL_ERRNO = ${TABLE_DEFINITION_CHANGED}, MESSAGE_TEXT = 'Table definition has changed, please retry transaction';` +
    ` ELSE IF NOT ${there(trigger.standIn, trigger.name)} THEN ${body}\n; END IF; END IF; END`
  );
}

/** The real one in its guard's place, as it was written; the table's schema must be the session's database. */
export function createReal(trigger: CarriedTrigger): string {
  return trigger.definition.slice(0, textOf(trigger).afterRow) + placed(trigger);
}

/** The same for a stand-in, to find out what the server makes of it. */
export function createStandInPlace(schema: string, table: string, trigger: CarriedTrigger): string {
  const { definer, when } = textOf(trigger);
  return `CREATE ${definer} TRIGGER ${qualified(schema, trigger.standIn)} ${when} ON ${qualified(schema, table)} FOR EACH ROW${placed(trigger)}`;
}

/**
 * What follows FOR EACH ROW, with a place in the order. MariaDB cuts that out of the text which it keeps, but with the
 * blanks before it or, under IGNORE_SPACE, with those behind an unquoted name; where none is left between ROW and what
 * follows, the trigger cannot be read any more and every write to the table fails.
 */
function placed(trigger: CarriedTrigger): string {
  const rest = trigger.definition.slice(textOf(trigger).afterRow);
  const blanks = /^\s*/.exec(rest)?.[0] ?? '';
  const place = `PRECEDES ${trigger.guard}`;
  return trigger.sqlMode.split(',').includes('IGNORE_SPACE') && blanks !== ''
    ? `${blanks}${place} ${rest.slice(blanks.length)}`
    : ` ${place}${rest}`;
}

export function dropTrigger(schema: string, name: string): string {
  return `DROP TRIGGER ${qualified(schema, name)}`;
}

/** A string that every sql_mode and character set reads the same way. */
function literal(value: string): string {
  return /^[ -~]*$/.test(value) ? text(value) : `_utf8mb4 X'${Buffer.from(value).toString('hex')}'`;
}
