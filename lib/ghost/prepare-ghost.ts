import type { Knex } from 'knex';
import type { Database } from '../database/database';
import { copySqlMode } from '../database/session-settings';
import type { ServerCapabilities } from '../database/server-capabilities';
import { errorNumber, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { text } from '../database/sql';
import { insertFromOrigin } from '../changes/apply-sql';
import { Refusal } from '../errors';
import type { ColumnOptions } from '../options/options';
import { chooseChunkKey } from '../schema/chunk-key';
import { convertsAsNative } from '../schema/conversion-support';
import { mapColumns } from '../schema/column-mapping';
import type { DerivedNames } from '../schema/derived-names';
import { readForeignKeys, readTableSchema, showCreateTable } from '../schema/read-table-schema';
import { modesOfSqlMode } from '../schema/sql-tokens';
import type { TablePair } from '../schema/table-pair';
import { columnNamed, definitionText, type TableSchema } from '../schema/table-schema';
import type { AlterFunction } from './alter-function';
import { createGhostTable, ghostDefinition } from './create-ghost-table';
import { refuseDependence, usableCandidates } from './time-zone';
import { runAlter, type AlterOutcome } from './run-alter';

export interface PrepareInput {
  readonly knex: Knex;
  readonly database: Database;
  readonly session: Session;
  readonly origin: TableSchema;
  readonly names: DerivedNames;
  readonly columns: Required<ColumnOptions>;
  readonly alter: AlterFunction | string;
  /** Makes the ghost a temporary table, which only its session can see: to find out what a migration would do. */
  readonly temporary?: boolean;
}

export interface PreparedGhost {
  readonly pair: TablePair;
  /** The user's statements as they ran, with the origin's name. */
  readonly statements: readonly string[];
}

/**
 * Creates the ghost, alters it, and works out how rows get from the origin to it. The origin is only read.
 *
 * @throws Refusal for every reason why the ALTER cannot be carried out this way
 */
export async function prepareGhost(input: PrepareInput): Promise<PreparedGhost> {
  const { session, origin, names, database, temporary = false } = input;
  const definition = ghostDefinition(origin, names.ghost, database.server);
  const ghostName = { schema: origin.schema, table: names.ghost };
  await createGhostTable(session, ghostName, definition, temporary);
  const before = await showCreateTable(session, ghostName);
  const outcome = await alterGhost(input, definition.constraintNames);
  const mode = copySqlMode(database.callerSqlMode, input.columns.allowDataLoss);
  await session.execute(`SET SESSION sql_mode = '${mode}'`);
  const ghost = await readTableSchema(session, ghostName);
  await refuseForeignKeys(session, ghost, database.server);
  refuseEngine(ghost);
  const values = mergeValues(input.columns.values, outcome.values, ghost);
  refuseNothing(before, ghost, outcome, values);
  refuseAmbiguous(database.callerSqlMode, values);
  const mapping = mergeRenames(input.columns.renamed, outcome, origin, ghost);
  refuseDependence(database, origin, ghost, mapping, values);
  const chosen = chooseChunkKey(
    usableCandidates(database, origin),
    ...([origin, ghost, mapping, (column: string) => values.has(column.toLowerCase())] as const),
  );
  if (chosen.key === null) throw noKey(origin, chosen.rejected);
  refuseConversions(origin, ghost, mapping, values);
  const columns = mapColumns(origin, ghost, mapping, values, {
    lossy: input.columns.allowDataLoss,
    server: database.server,
  });
  const pair: TablePair = {
    schema: origin.schema,
    origin,
    ghost,
    names,
    key: chosen.key,
    columns,
    mapping,
    values,
    ownCounter: outcome.changes.some(({ clauses }) => clauses.some(({ kind }) => kind === 'auto-increment')),
  };
  await tryMapping(session, pair);
  refuseZeroDates(database.callerSqlMode, pair);
  return { pair, statements: outcome.changes.map(({ readable }) => readable) };
}

/** The user's statements run under the sql_mode that a native ALTER of theirs would. */
async function alterGhost(
  { knex, session, origin, names, database, alter }: PrepareInput,
  constraintNames: ReadonlyMap<string, string>,
): Promise<AlterOutcome> {
  await session.execute(`SET SESSION sql_mode = ${text(database.callerSqlMode)}`);
  try {
    return await runAlter(alter, {
      knex,
      session,
      target: { schema: origin.schema, origin: origin.table, ghost: names.ghost, constraintNames },
      modes: modesOfSqlMode(database.callerSqlMode),
      columns: origin.columns.map((column) => column.name),
    });
  } finally {
    // The user's statements may have been SET.
    if (!session.lost) await database.restore(session);
  }
}

/** Only InnoDB has the transactions that everything here rests on. */
function refuseEngine({ createSql }: TableSchema): void {
  const engine = /^\n\) ENGINE=(\w+)/.exec(createSql.slice(createSql.lastIndexOf('\n) ')))?.[1];
  if (engine === undefined || engine.toLowerCase() === 'innodb') return;
  throw new Refusal(
    'LHM_UNSUPPORTED_ENGINE',
    `The ALTER changes the engine to ${engine}, which has no transactions.`,
    'Change the engine with a native ALTER TABLE.',
  );
}

async function refuseForeignKeys(
  session: Session,
  ghost: TableSchema,
  server: ServerCapabilities,
): Promise<void> {
  const [key] = await readForeignKeys(session, ghost, server);
  if (key === undefined) return;
  throw new Refusal(
    'LHM_ALTER_ADDS_FOREIGN_KEY',
    `The ALTER adds the foreign key '${key.name}' to '${key.parent}'.`,
    'Foreign keys are not supported yet: add the column and its index here, and the key with a native ALTER TABLE.',
  );
}

function mergeValues(
  option: Readonly<Record<string, string>>,
  context: Readonly<Record<string, string>>,
  ghost: TableSchema,
): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of [...Object.entries(option), ...Object.entries(context)]) {
    const column = columnNamed(ghost, name);
    if (column === undefined || column.generated) {
      throw new Refusal(
        'LHM_BAD_VALUES',
        `A value is given for '${name}', which is ${column ? 'a generated column' : 'not a column'} of the new table.`,
        `The new table's columns are ${ghost.columns.map((c) => c.name).join(', ')}.`,
      );
    }
    if (typeof value !== 'string' || value.trim() === '') {
      throw new Refusal(
        'LHM_BAD_VALUES',
        `The value of '${name}' is not SQL.`,
        'Give an SQL expression, e.g. "LOWER(email)" or "\'new\'".',
      );
    }
    if (/\bselect\b/i.test(value)) {
      throw new Refusal(
        'LHM_BAD_VALUES',
        `The value of '${name}' reads another table, whose changes would not be noticed.`,
        'Use an expression over the row itself; fill the column from another table in a step of its own.',
      );
    }
    const key = column.name.toLowerCase();
    const other = values.get(key);
    if (other !== undefined && other !== value) {
      throw new Refusal(
        'LHM_BAD_VALUES',
        `columns.values and ctx.values differ for '${name}': ${other} and ${value}.`,
        'Give it in one place.',
      );
    }
    values.set(key, value);
  }
  return values;
}

/** Where copying would make another value of it than an ALTER does, it is for the user to say which is meant. */
function refuseConversions(
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, string>,
): void {
  for (const [from, to] of mapping) {
    const [before, after] = [columnNamed(origin, from), columnNamed(ghost, to)];
    if (before === undefined || after === undefined || after.generated) continue;
    if (values.has(to.toLowerCase()) || convertsAsNative(before, after)) continue;
    throw new Refusal(
      'LHM_CONVERSION_UNSUPPORTED',
      `Column '${from}' is converted from ${before.columnType} to ${after.columnType}, which the server does in one way in an ALTER and in another way in a copy.`,
      `Say how it is meant: ctx.values['${to}'] = an SQL expression over the old row; or use a native ALTER TABLE.`,
    );
  }
}

/** Under the modes that the library's own statements cannot bear, the same characters mean another thing. */
const AMBIGUOUS = [
  ['NO_BACKSLASH_ESCAPES', '\\', 'CHAR(92) is one'],
  ['ANSI_QUOTES', '"', 'names in back-ticks, texts in single quotes'],
] as const;

function refuseAmbiguous(sqlMode: string, values: ReadonlyMap<string, string>): void {
  const modes = sqlMode.toUpperCase().split(',');
  for (const [name, value] of values) {
    for (const [mode, character, instead] of AMBIGUOUS) {
      if (!modes.includes(mode) || !value.includes(character)) continue;
      throw new Refusal(
        'LHM_BAD_VALUES',
        `The value of '${name}' holds a ${character}, which means another thing under the server's ${mode}.`,
        `Write it without: ${instead}.`,
      );
    }
  }
}

function mergeRenames(
  renamed: Readonly<Record<string, string>>,
  outcome: AlterOutcome,
  origin: TableSchema,
  ghost: TableSchema,
): Map<string, string> {
  const mapping = new Map(outcome.tracker.mapping());
  for (const [from, to] of Object.entries(renamed)) {
    const source = columnNamed(origin, from)?.name;
    const target = columnNamed(ghost, to)?.name;
    if (source === undefined || target === undefined) {
      throw new Refusal(
        'LHM_BAD_RENAME',
        `columns.renamed says '${from}' becomes '${to}', but there is no ${source === undefined ? `'${from}' in the table` : `'${to}' in the new table`}.`,
        'Correct the names.',
      );
    }
    const already = mapping.get(source);
    const taken = [...mapping].find(([other, carried]) => carried === target && other !== source);
    if ((already !== undefined && already !== target) || taken !== undefined) {
      throw new Refusal(
        'LHM_BAD_RENAME',
        `columns.renamed says '${from}' becomes '${to}', but the ALTER says ${taken === undefined ? `'${from}' becomes '${already ?? ''}'` : `'${taken[0]}' becomes '${to}'`}.`,
        'Give it in one place.',
      );
    }
    mapping.set(source, target);
  }
  for (const [from, to] of mapping) {
    if (columnNamed(ghost, to) !== undefined) continue;
    throw new Refusal(
      'LHM_ALTER_NOT_UNDERSTOOD',
      `Column '${from}' should have become '${to}', which the new table does not have.`,
      'Say what became of it with columns: { renamed: { old: new } }, and please report the ALTER.',
    );
  }
  return mapping;
}

/** Clauses that change something which does not show in the definition. */
const REBUILDS = new Set(['engine', 'force', 'order-by', 'auto-increment']);

function refuseNothing(
  before: string,
  ghost: TableSchema,
  outcome: AlterOutcome,
  values: ReadonlyMap<string, string>,
): void {
  const rebuilds = outcome.changes.some(({ clauses }) => clauses.some((clause) => REBUILDS.has(clause.kind)));
  if (rebuilds || values.size > 0 || definitionText(before) !== definitionText(ghost.createSql)) return;
  throw new Refusal(
    'LHM_ALTER_CHANGES_NOTHING',
    'The table already is what the ALTER makes of it.',
    'If the change was made before, mark the migration as done; to rebuild the table as it is, use FORCE.',
  );
}

function noKey(origin: TableSchema, rejected: readonly { index: string; reason: string }[]): Refusal {
  const why = rejected.map(({ index, reason }) => `'${index}': ${reason}`).join('; ');
  return new Refusal(
    'LHM_NO_USABLE_KEY',
    `No unique key of '${origin.table}' finds the same rows in the old and in the new table (${why}).`,
    'Keep one unique key over NOT NULL columns unchanged in this migration, and change it in a second one.',
  );
}

/** A native ALTER refuses to fill a new NOT NULL date with zeros under NO_ZERO_DATE; so does this. */
function refuseZeroDates(sqlMode: string, { columns }: TablePair): void {
  if (!/\bNO_ZERO_DATE\b/i.test(sqlMode)) return;
  const zero = columns.find(({ expression }) => expression.startsWith("'0000-00-00"));
  if (zero === undefined) return;
  throw new Refusal(
    'LHM_BAD_VALUES',
    `The new column '${zero.target}' is NOT NULL and has no default, and the server's sql_mode forbids the date 0000-00-00.`,
    `Give it a default, or say what it is filled with: ctx.values['${zero.target}'] = 'CURRENT_DATE'.`,
  );
}

/** Compiles the copy's statement without copying, so that a mistake in a value expression shows at once. */
async function tryMapping(session: Session, pair: TablePair): Promise<void> {
  try {
    await session.execute(insertFromOrigin(pair, 'FALSE'));
    await session.execute('COMMIT');
  } catch (error) {
    if (errorNumber(error) === 0) throw error;
    throw new Refusal(
      'LHM_BAD_VALUES',
      `The new table cannot be filled from the old one: ${messageOf(error)}.`,
      'Correct columns.values or ctx.values: expressions may use the old table’s columns.',
      { cause: error },
    );
  }
}
