import { createJournal } from '../changes/journal/journal-table';
import { createTrigger, triggerDefinitions } from '../changes/triggers/trigger-ddl';
import { insertFromOrigin } from '../changes/apply-sql';
import { renameStatement } from '../cut-over/rename-statement';
import { chosenAnswer } from '../cut-over/old-read-views';
import { blockers } from '../database/blockers';
import type { Database } from '../database/database';
import { liveLock } from '../database/metadata-locks';
import { patientSession } from '../database/patient-session';
import { errorNumber, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { Refusal } from '../errors';
import type { AlterFunction } from '../ghost/alter-function';
import { prepareGhost, type PreparedGhost } from '../ghost/prepare-ghost';
import type { ResolvedOptions } from '../options/options';
import { settleTimeZone } from '../ghost/time-zone';
import { inspect, refuseUnreadable } from '../preflight/preflight';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import type { TablePair } from '../schema/table-pair';
import { parseForeignKeys } from '../schema/foreign-key';
import { readChildKeys } from '../schema/read-foreign-keys';
import { columnNamed, type TableSchema } from '../schema/table-schema';
import { refuseNamedColumns } from '../table-triggers/named-columns';
import { readTableTriggers } from '../table-triggers/read-table-triggers';
import { dataRisks } from './data-risks';
import { describePlan } from './describe-plan';
import { estimate } from './estimate';
import type { MigrationPlan, PlannedColumn } from './plan';
import { plannedKeys } from './planned-keys';
import { references } from './references';
import { suggestMode } from './suggest-mode';
import { CAPTURE_WARNINGS, helperKey, tooLittleRoom } from './warnings';

/** Transactions younger than this, in seconds, are gone before a migration gets to ask for a lock. */
const LONG_S = 2;

/** Makes a ghost that is really there for as long as `make` takes, and says what it became. */
export interface GhostTrial {
  around<T>(session: Session, make: () => Promise<T>): Promise<{ made: T; definition: string }>;
}

export interface PlanInput {
  /** How the change is tried where nothing stands in its way; null for on a temporary table. */
  readonly ghost: GhostTrial | null;
  readonly database: Database;
  /** The replica whose binary log is to be read; null for the server's own. */
  readonly source: Database | null;
  readonly name: TableName;
  readonly names: DerivedNames;
  readonly options: ResolvedOptions;
  readonly alter: AlterFunction | string;
}

/**
 * Finds out what a migration would do. The change is tried on a temporary table, which only this session sees, and
 * which is written to no binary log.
 *
 * @throws Refusal when there is no table to plan for, or the change itself cannot be made
 */
export async function buildPlan(input: PlanInput): Promise<MigrationPlan> {
  const { database, source, name, names, options } = input;
  const { server } = database;
  const session = patientSession(await database.open('plan'), liveLock(options.giveUpAfterMs));
  const findings = await inspect({ session, server, name, names, options, source });
  const found = findings.table ?? refuseUnreadable(findings);
  const table = await settleTimeZone(database, session, found);
  const trial = await tryChange(input, session, table, findings.problems.length === 0);
  const { pair, warning } = trial;
  const triggers = await readTableTriggers(session, name, Object.values(names.triggers));
  const own = parseForeignKeys(table.createSql, name.schema);
  const children = await readChildKeys(session, name, server);
  const problems = [...findings.problems, ...(pair === null ? [] : refuseNamedColumns(pair, triggers))];
  const holders = await blockers(session, name.schema, name.table, [session.id], LONG_S);
  const keyColumns = pair?.key.originKeys.names.map((column) => columnNamed(table, column));
  const size = await estimate(
    session,
    name,
    options,
    keyColumns?.filter((column) => column !== undefined),
  );
  const otherMode = OTHER[options.mode];
  const otherwise = await inspect({
    ...{ session, server, name, names, options: { ...options, mode: otherMode } },
    source: { triggers: null, binlog: source }[otherMode],
  });
  const changed = (pair === null ? [] : table.columns)
    .map((column) => column.name)
    .filter((column) => pair?.mapping.get(column) !== column);
  const plan: Omit<MigrationPlan, 'text'> = {
    ...{ table: `${name.schema}.${name.table}`, oldTable: null, strategy: 'copy' },
    ...{ why: [REASON, CAPTURED[options.mode]], mode: options.mode },
    suggestedMode: suggestMode(
      { [options.mode]: findings.problems, [otherMode]: otherwise.problems } as ProblemsOfModes,
      size.writesPerSecond,
    ),
    server: { flavor: server.flavor, version: server.version },
    alter: trial.alter,
    statements: trial.statements,
    names: { ghost: names.ghost, old: names.old, journal: names.journal },
    columns: pair === null ? [] : plannedColumns(pair),
    newDefinition: trial.definition,
    chunkKey: pair === null ? null : { index: pair.key.originIndex, columns: pair.key.originKeys.names },
    cutOver: {
      strategy:
        options.cutOver.strategy === 'auto'
          ? server.renameUnderLock
            ? 'rename-under-lock'
            : 'sentry'
          : options.cutOver.strategy,
      oldReadViews: chosenAnswer(options.cutOver.oldReadViews, server, pair?.ghost ?? table),
    },
    estimate: size,
    problems,
    dataRisks:
      pair === null ? [] : dataRisks(table, pair.ghost, pair.mapping, (column) => isValue(pair, column)),
    blockers: holders ?? [],
    references: await references(session, name.table, changed),
    foreignKeys: plannedKeys(name, own, children.keys, options.foreignKeys),
    triggers: triggers.map(({ name, when, definer }) => ({ name, when: when.join(', '), definer })),
    warnings: [
      ...(warning === null ? [] : [warning]),
      ...(holders === null ? ['The account may not see what is in the way now; that takes PROCESS.'] : []),
      ...(server.checkNamesAreGlobal && / CONSTRAINT `[^`]+` CHECK /.test(table.createSql)
        ? ['CHECK constraints with names of their own get new ones: names are unique in a schema here.']
        : []),
      ...helperKey(pair),
      ...tooLittleRoom(size),
      ...(await CAPTURE_WARNINGS[options.mode](session, { source, size, definer: options.triggers.definer })),
    ],
  };
  return Object.freeze({ ...plan, text: describePlan(plan) });
}

interface Trial {
  readonly pair: TablePair | null;
  readonly alter: readonly string[];
  readonly statements: readonly string[];
  readonly warning: string | null;
  /** Of a ghost that was really there. */
  readonly definition: string | null;
}

async function tryChange(
  input: PlanInput,
  session: Session,
  origin: TableSchema,
  fit: boolean,
): Promise<Trial> {
  const { database, name, names, options, alter } = input;
  const ghost = fit ? input.ghost : null;
  let definition: string | null = null;
  let prepared: PreparedGhost;
  try {
    const make = (): Promise<PreparedGhost> =>
      prepareGhost({
        ...{ knex: options.knex, database, session, origin, names, called: name.called },
        ...{ columns: options.columns, alter, foreignKeys: options.foreignKeys },
        bound: liveLock(options.giveUpAfterMs),
        temporary: ghost === null,
      });
    if (ghost === null) prepared = await make();
    else ({ made: prepared, definition } = await ghost.around(session, make));
  } catch (error) {
    const cause = error instanceof Refusal ? error.cause : error;
    if (ghost !== null || !NOT_TEMPORARY.has(errorNumber(cause))) throw error;
    const warning = `The change could not be tried on a temporary table (${messageOf(cause)}); the migration itself will tell.`;
    return {
      pair: null,
      alter: typeof alter === 'string' ? [alter] : [],
      statements: [],
      warning,
      definition,
    };
  }
  const { pair } = prepared;
  const statements = [
    createJournal(pair),
    ...triggersOf(pair, options),
    insertFromOrigin(pair, '… range by range …'),
    renameStatement(pair),
  ];
  return { pair, alter: prepared.statements, statements, warning: null, definition };
}

function triggersOf(pair: TablePair, { mode, triggers }: ResolvedOptions): string[] {
  const definitions = { triggers: triggerDefinitions(pair), binlog: [] }[mode];
  return definitions.map((trigger) => createTrigger(pair, trigger, triggers.definer));
}

/** What a temporary table cannot have: partitions, FULLTEXT indexes, compression. */
const NOT_TEMPORARY = new Set([1562, 1506, 1796, 3500, 4047]);

const REASON =
  'Rows are copied to a new table, because the change is made the same way whatever it is, every row can be compared before the swap, and the original stays.';

const CAPTURED = {
  triggers: 'Triggers capture the changes: they need no global privilege and no binary log.',
  binlog: 'The binary log tells of the changes: nothing is put on the statements of the application.',
} as const;

const OTHER = { triggers: 'binlog', binlog: 'triggers' } as const;

type ProblemsOfModes = Parameters<typeof suggestMode>[0];

function isValue(pair: TablePair, column: string): boolean {
  return pair.values.has(column.toLowerCase());
}

function plannedColumns(pair: TablePair): PlannedColumn[] {
  const { origin, ghost, mapping } = pair;
  const sources = new Map([...mapping].map(([from, to]) => [to.toLowerCase(), from]));
  const comparable = new Map(pair.columns.map((column) => [column.target, column.comparable]));
  const kept = ghost.columns.map((column): PlannedColumn => {
    const from = sources.get(column.name.toLowerCase()) ?? null;
    const to = column.name;
    if (column.generated) return { from, to, how: 'generated' };
    if (isValue(pair, to)) return { from, to, how: 'value' };
    if (from === null) return { from, to, how: 'default' };
    return { from, to, how: comparable.get(to) === 'bytes' ? 'same' : 'converted' };
  });
  const dropped = origin.columns
    .filter(({ name }) => columnNamed(ghost, mapping.get(name) ?? '') === undefined)
    .map(({ name }): PlannedColumn => ({ from: name, to: null, how: 'dropped' }));
  return [...kept, ...dropped];
}
