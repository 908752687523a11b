import { grantee } from '../database/grants';
import { errorNumber, isInterruption, isLockTimeout, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { Refusal } from '../errors';
import type { Token } from '../schema/sql-tokens';
import { asCreated } from './creation-context';
import { canBeSent } from './sendable';
import type { CarriedTrigger } from './table-trigger';
import { createGuard, createStandIn, createStandInPlace, dropTrigger } from './trigger-sql';
import { readTriggerText } from './trigger-text';

const PRIVILEGE_MISSING = 1227;
const UNKNOWN_COLUMN = 1054;

/**
 * Makes each trigger on a table like the new one and removes it again, before there is anything that it could fire on:
 * whatever the server has against it is known before the migration begins.
 *
 * @param table the ghost, which nobody writes to yet
 * @throws Refusal LHM_MISSING_PRIVILEGE, LHM_TRIGGER_COLUMN or LHM_TRIGGER_NOT_CARRIED
 */
export async function tryTriggers(
  session: Session,
  schema: string,
  table: string,
  triggers: readonly CarriedTrigger[],
): Promise<void> {
  for (const trigger of triggers) {
    const text = readTriggerText(trigger.definition, trigger.sqlMode);
    if (text === null) throw notCarried(trigger, 'its definition is not understood');
    if (!canBeSent(trigger.charset)) throw notCarried(trigger, `nothing can be sent in ${trigger.charset}`);
    try {
      await asCreated(session, schema, trigger, async (create) => {
        await create(createStandIn(schema, table, trigger));
        await create(createGuard(schema, table, trigger));
        await session.execute(dropTrigger(schema, trigger.standIn));
        await create(createStandInPlace(schema, table, trigger));
      });
    } catch (error) {
      throw await refusal(session, trigger, error);
    }
    const difference = await differs(session, schema, trigger, text.tokens);
    await session.execute(dropTrigger(schema, trigger.guard));
    await session.execute(dropTrigger(schema, trigger.standIn));
    if (difference !== null) throw notCarried(trigger, difference);
  }
}

/** What the server made of it; null when it is the same. */
async function differs(
  session: Session,
  schema: string,
  trigger: CarriedTrigger,
  tokens: readonly Token[],
): Promise<string | null> {
  const [made] = await session.query<Record<string, string>>(
    `SHOW CREATE TRIGGER ${qualified(schema, trigger.standIn)}`,
  );
  const sqlMode = made?.['sql_mode'] ?? '';
  if (action(made?.['SQL Original Statement'] ?? '', sqlMode) !== action(trigger.definition, trigger.sqlMode))
    return `its text in the character set ${trigger.charset} comes out as something else`;
  const same =
    sqlMode === trigger.sqlMode &&
    made?.['character_set_client'] === trigger.charset &&
    made['collation_connection'] === trigger.collation;
  if (!same) return `it would come out under other settings`;
  const collation = made['Database Collation'] ?? '';
  if (collation === trigger.databaseCollation || !tokens.some(takesCollation)) return null;
  return `it was created when the database's collation was ${trigger.databaseCollation}, which is ${collation} now, and its variables depend on it`;
}

/** What is done, to the last blank. */
function action(definition: string, sqlMode: string): string | null {
  const text = readTriggerText(definition, sqlMode);
  return text === null ? null : definition.slice(text.afterRow);
}

/** Only what is declared without a character set gets the database's. */
function takesCollation({ kind, value }: Token): boolean {
  return kind === 'word' && /^(?:declare|create)$/i.test(value)
    ? true
    : kind === 'variable' && /(?:collation|character_set)_database$/i.test(value);
}

async function refusal(session: Session, trigger: CarriedTrigger, error: unknown): Promise<unknown> {
  const number = errorNumber(error);
  if (number === 0 || session.lost || isInterruption(error) || isLockTimeout(error)) return error;
  if (number === UNKNOWN_COLUMN) {
    return new Refusal(
      'LHM_TRIGGER_COLUMN',
      `Trigger '${trigger.name}' does not fit the new table: ${messageOf(error)}.`,
      'Replace the trigger by one that does, or drop it, and run again.',
      { cause: error },
    );
  }
  if (number === PRIVILEGE_MISSING) {
    const account = await grantee(session);
    const privilege = /([A-Z][A-Z_]*(?: [A-Z_]+)*) privilege/.exec(messageOf(error))?.[1] ?? 'SUPER';
    return new Refusal(
      'LHM_MISSING_PRIVILEGE',
      `The account ${account} may not create trigger '${trigger.name}' anew, which runs as ${trigger.definer}: ${messageOf(error)}.`,
      `GRANT ${privilege} ON *.* TO ${account};`,
      { cause: error },
    );
  }
  return notCarried(trigger, messageOf(error), error);
}

function notCarried(trigger: CarriedTrigger, why: string, cause?: unknown): Refusal {
  return new Refusal(
    'LHM_TRIGGER_NOT_CARRIED',
    `Trigger '${trigger.name}' cannot be created again as it is: ${why}.`,
    'Create the trigger anew under the settings of today (DROP TRIGGER, CREATE TRIGGER), or drop it, and run again.',
    cause === undefined ? {} : { cause },
  );
}
