import type { Knex } from 'knex';
import type { Database } from '../database/database';
import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import { copySqlMode } from '../database/session-settings';
import { errorNumber, isTransient, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { text } from '../database/sql';
import { insertFromOrigin } from '../changes/apply-sql';
import { nameOnServer } from '../database/knex-names';
import { Refusal } from '../errors';
import type { ColumnOptions, ForeignKeysOption } from '../options/options';
import { chooseChunkKey, keyCandidates, noCandidate, type ChunkKey } from '../schema/chunk-key';
import { mapColumns } from '../schema/column-mapping';
import { standInName, type DerivedNames } from '../schema/derived-names';
import { parseForeignKeys, sameTable } from '../schema/foreign-key';
import type { KeyPlan } from '../schema/key-plan';
import { readChildKeys } from '../schema/read-foreign-keys';
import { readCheckNames, readTableSchema, showCreateTable } from '../schema/read-table-schema';
import { modesOfSqlMode, tokenize } from '../schema/sql-tokens';
import type { TablePair } from '../schema/table-pair';
import { columnNamed, type Column, type TableSchema } from '../schema/table-schema';
import { addHelperKey } from './add-helper-key';
import type { AlterFunction } from './alter-function';
import { boundedStatements } from './bounded-statements';
import { createGhostTable, ghostDefinition, type GhostDefinition } from './create-ghost-table';
import { planKeys } from './plan-keys';
import { refuseDependence, usableCandidates } from './time-zone';
import {
  refuseAmbiguous,
  refuseConversions,
  refuseEngine,
  refuseNothing,
  refuseUnfilled,
  refuseZeroDates,
} from './refuse-change';
import { refuseCheckNames } from './refuse-check-names';
import { refuseIndexes } from './refuse-indexes';
import { settleDefinition } from './settle-definition';
import { runAlter, type AlterOutcome } from './run-alter';

export interface PrepareInput {
  readonly knex: Knex;
  readonly database: Database;
  readonly session: Session;
  readonly origin: TableSchema;
  readonly names: DerivedNames;
  /** What the caller's Knex calls the table, where that is another name. */
  readonly called?: string | undefined;
  readonly columns: Required<ColumnOptions>;
  readonly alter: AlterFunction | string;
  /** What becomes of the table's own foreign keys. */
  readonly foreignKeys: ForeignKeysOption;
  /** How locks on tables that keys lead to are asked for. */
  readonly bound: BoundedLock;
  /** Makes the ghost a temporary table, which only its session can see: to find out what a migration would do. */
  readonly temporary?: boolean;
}

export interface PreparedGhost {
  readonly pair: TablePair;
  readonly keys: KeyPlan;
  /** What rows are copied under. */
  readonly sqlMode: string;
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
  const taken = await readCheckNames(session, origin.schema, database.server);
  // A temporary table can have no foreign keys.
  const leaveOut = temporary || input.foreignKeys === 'discard';
  const keyNames = leaveOut ? null : (number: number) => standInName(names, number);
  const definition = ghostDefinition(origin, names.ghost, database.server, taken, keyNames);
  const ghostName = { schema: origin.schema, table: names.ghost };
  await withBoundedLock(session, input.bound, () =>
    createGhostTable(session, ghostName, definition, temporary, database.server),
  );
  const before = await showCreateTable(session, ghostName);
  const outcome = await alterGhost(input, definition.constraintNames);
  const altered = await readTableSchema(session, ghostName);
  refuseEngine(altered);
  refuseIndexes(altered);
  refuseCheckNames(altered, origin.table, database.server);
  const values = mergeValues(input, outcome.values, altered);
  refuseNothing(before, altered, outcome, values);
  refuseAmbiguous(database.callerSqlMode, values);
  const mapping = mergeRenames(input, outcome, origin, altered);
  refuseDependence(database, origin, altered, mapping, values);
  const children = await readChildKeys(session, origin, database.server);
  const keys = await planKeys({
    ...{ session, database, origin, ghost: altered, names, mapping, values, temporary, bound: input.bound },
    copies: keyCopies(origin, definition),
    // Where the table references itself, its clone references it as well.
    children: children.keys.filter(({ child }) => !sameTable(child, ghostName)),
  });
  const keyed = keys.own.length + keys.final.length > 0 ? await readTableSchema(session, ghostName) : altered;
  const chosen = chooseChunkKey(usableCandidates(database, origin), origin, keyed, mapping, (column) =>
    values.has(column.toLowerCase()),
  );
  if (chosen.key === null) throw noKey(origin, chosen.rejected);
  refuseConversions(origin, altered, mapping, values);
  const ghost = await readyGhost(input, keyed, chosen.key);
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
    carriedKeys: keys.carried,
    ownCounter: outcome.changes.some(({ clauses }) => clauses.some(({ kind }) => kind === 'auto-increment')),
  };
  const mode = copySqlMode(database.callerSqlMode, input.columns.allowDataLoss, {
    found: findsByDates(pair),
    made: convertsToDates(pair),
  });
  await session.execute(`SET SESSION sql_mode = '${mode}'`);
  await tryMapping(session, pair);
  await refuseZeroDates(session, database.callerSqlMode, pair);
  await refuseUnfilled(session, pair);
  return { pair, keys, sqlMode: mode, statements: outcome.changes.map(({ readable }) => readable) };
}

/** The new table as it will be filled: with an index to find its rows by, and in words that stay as they are. */
async function readyGhost(
  { session, database, temporary = false }: PrepareInput,
  altered: TableSchema,
  key: ChunkKey,
): Promise<TableSchema> {
  if (key.helper) await addHelperKey(session, altered, key);
  const ghost = key.helper ? await readTableSchema(session, altered) : altered;
  return temporary ? ghost : settleDefinition(session, ghost, database.server);
}

/** The user's statements run under the sql_mode that a native ALTER of theirs would. */
async function alterGhost(
  { knex, session, origin, names, called, database, alter, bound }: PrepareInput,
  constraintNames: ReadonlyMap<string, string>,
): Promise<AlterOutcome> {
  await session.execute(`SET SESSION sql_mode = ${text(database.callerSqlMode)}`);
  try {
    return await runAlter(alter, {
      knex,
      session: boundedStatements(session, bound, constraintNames.size > 0),
      target: {
        ...{ schema: origin.schema, origin: origin.table, ghost: names.ghost, called, constraintNames },
        foldsCase: database.foldsTableNames,
      },
      modes: modesOfSqlMode(database.callerSqlMode),
      columns: origin.columns.map((column) => column.name),
    });
  } finally {
    // The user's statements may have been SET.
    if (!session.lost) await database.restore(session);
  }
}

/** Own key → its copy on the ghost; none where they were left out. */
function keyCopies(origin: TableSchema, { constraintNames }: GhostDefinition): ReadonlyMap<string, string> {
  const own = parseForeignKeys(origin.createSql, origin.schema);
  return new Map(
    own.flatMap(({ name }) => {
      const copy = constraintNames.get(name);
      return copy === undefined ? [] : [[name, copy] as const];
    }),
  );
}

/** The column of this name, which may be the server's or the one that the caller's Knex maps to it. */
function columnCalled(knex: Knex, table: TableSchema, name: string): Column | undefined {
  return columnNamed(table, nameOnServer(knex, name)) ?? columnNamed(table, name);
}

function mergeValues(
  { knex, columns }: PrepareInput,
  context: Readonly<Record<string, string>>,
  ghost: TableSchema,
): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of [...Object.entries(columns.values), ...Object.entries(context)]) {
    const column = columnCalled(knex, ghost, name);
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
    if (tokenize(value).some((token) => token.kind === 'word' && /^select$/i.test(token.value))) {
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

function mergeRenames(
  { knex, columns }: PrepareInput,
  outcome: AlterOutcome,
  origin: TableSchema,
  ghost: TableSchema,
): Map<string, string> {
  const mapping = new Map(outcome.tracker.mapping());
  for (const [from, to] of Object.entries(columns.renamed)) {
    const source = columnCalled(knex, origin, from)?.name;
    const target = columnCalled(knex, ghost, to)?.name;
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

/** A plan comes here also with a table that has none to begin with. */
function noKey(origin: TableSchema, rejected: readonly { index: string; reason: string }[]): Refusal {
  const found = keyCandidates(origin);
  if (found.usable.length === 0) {
    const { code, message, hint } = noCandidate(origin, found.rejected);
    return new Refusal(code, message, hint);
  }
  const why = rejected.map(({ index, reason }) => `'${index}': ${reason}`).join('; ');
  return new Refusal(
    'LHM_NO_USABLE_KEY',
    `No unique key of '${origin.table}' finds the same rows in the old and in the new table (${why}).`,
    'Keep one unique key over NOT NULL columns unchanged in this migration, and change it in a second one.',
  );
}

const DATES = new Set(['date', 'datetime', 'timestamp']);

/** Whether text becomes a date: then the caller's rules about zeros in dates hold, as in an ALTER. */
function convertsToDates({ origin, ghost, mapping }: TablePair): boolean {
  return [...mapping].some(([from, to]) => {
    const types = [columnNamed(origin, from)?.dataType ?? '', columnNamed(ghost, to)?.dataType ?? ''];
    return !DATES.has(types[0] ?? '') && DATES.has(types[1] ?? '');
  });
}

/** Whether rows are found by dates, and none are computed, which would come out otherwise where invalid ones are allowed. */
function findsByDates({ origin, ghost, key, values }: TablePair): boolean {
  const isDate = (name: string): boolean => DATES.has(columnNamed(origin, name)?.dataType ?? '');
  return (
    key.originKeys.names.some(isDate) &&
    values.size === 0 &&
    !ghost.columns.some(({ generated }) => generated)
  );
}

/** Compiles the copy's statement without copying, so that a mistake in a value expression shows at once. */
async function tryMapping(session: Session, pair: TablePair): Promise<void> {
  try {
    await session.execute(insertFromOrigin(pair, 'FALSE'));
    await session.execute('COMMIT');
  } catch (error) {
    if (errorNumber(error) === 0 || isTransient(error)) throw error;
    throw new Refusal(
      'LHM_BAD_VALUES',
      `The new table cannot be filled from the old one: ${messageOf(error)}.`,
      'Correct columns.values or ctx.values: expressions may use the old table’s columns.',
      { cause: error },
    );
  }
}
