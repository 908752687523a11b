import type { Knex } from 'knex';
import { isKnex, isTransaction } from './database/knex-connection';
import { connectDatabase } from './database/mysql-database';
import { Refusal, type Leftover, type Problem } from './errors';
import { cleanUp, stillLeft, type CleanUpResult } from './migration/clean-up';
import { describeFailure } from './migration/describe-failure';
import { refuseBadOptions } from './options/bad-options';
import { checkFields, type Fields } from './options/fields';
import { calledTable } from './schema/called-table';
import { parseTableName } from './schema/identifier';

/** What `largeHadronCleanUp` takes. Only `knex` is required. */
export interface CleanUpCallOptions {
  /** A Knex on mysql2. */
  readonly knex: Knex;
  /** Drop the originals that migrations kept, once they are this old, in ms. Default false: list them only. */
  readonly dropOldTablesAfterMs?: number | false;
  /** Say what would be removed, and touch nothing. Default false. */
  readonly dryRun?: boolean;
}

const FIELDS: Fields = {
  knex: { kind: 'any' },
  dropOldTablesAfterMs: { kind: 'number', min: 0, max: Number.MAX_SAFE_INTEGER, orFalse: true },
  dryRun: { kind: 'boolean' },
};

/**
 * Removes the triggers and tables that a run left whose process was killed, and lists the originals that migrations
 * kept; drops those of some age if asked. May be repeated. A migration that is running is left alone.
 *
 * @param table `'emails'`, `'schema.emails'`, or null for every table of the connection's database
 * @throws LargeHadronError LHM_ALREADY_RUNNING when the table is being migrated; for any other failure with `leftovers`
 *   that are still there. Always `untouched`: the tables themselves are never written to
 */
export async function largeHadronCleanUp(
  table: string | null,
  options: CleanUpCallOptions,
): Promise<CleanUpResult> {
  let leftovers: readonly Leftover[] = [];
  try {
    refuseBadOptions(findProblems(options));
    // The name is checked for its form before a connection is made.
    if (table !== null) parseTableName(table, 'any');
    const database = await connectDatabase(options.knex);
    try {
      const name =
        table === null
          ? null
          : await calledTable(options.knex, database, parseTableName(table, database.schema));
      const schema = name?.schema ?? database.schema;
      if (schema === null) throw noDatabase();
      const { dropOldTablesAfterMs = false, dryRun = false } = options;
      const request = {
        ...{ schema, table: name?.table ?? null, dryRun },
        dropOlderThanMs: dropOldTablesAfterMs === false ? null : dropOldTablesAfterMs,
      };
      try {
        return await cleanUp(database, request);
      } catch (error) {
        if (!(error instanceof Refusal)) leftovers = await stillLeft(database, request);
        throw error;
      }
    } finally {
      await database.close();
    }
  } catch (error) {
    throw describeFailure(error, {
      ...{ phase: 'clean-up', table: table ?? '', outcome: 'untouched', leftovers },
      what: `Cleaning up after migrations of '${table ?? 'every table'}' failed and may be repeated`,
    });
  }
}

function findProblems(options: unknown): Problem[] {
  if (typeof options !== 'object' || options === null) {
    return [bad('The second argument must be the options.')];
  }
  const problems = checkFields(options as Record<string, unknown>, FIELDS, '');
  const { knex } = options as { knex?: unknown };
  if (!isKnex(knex)) problems.push(bad("Option 'knex' is missing or not a Knex instance."));
  else if (isTransaction(knex)) problems.push(bad("Option 'knex' is a transaction."));
  return problems;
}

function bad(message: string): Problem {
  const hint = "Pass a Knex on mysql2: largeHadronCleanUp('emails', { knex }).";
  return { code: 'LHM_BAD_OPTION', message, hint };
}

function noDatabase(): Refusal {
  return new Refusal(
    'LHM_BAD_TABLE_NAME',
    'The connection names no database, so there is none to clean up.',
    "Name the database in the Knex connection, or pass 'schema.table'.",
  );
}
