import type { Problem } from '../errors';
import { isKnex, isTransaction } from '../database/knex-connection';
import { LargeHadronEvents, sinkOf } from '../events/emitter';
import { refuseBadOptions } from './bad-options';
import { resolveControl, type ControlOptions } from './control-options';
import { checkFields } from './fields';
import { FIELDS } from './option-fields';
import type { LargeHadronOptions, ResolvedOptions, ResolvedThrottle, ThrottleOptions } from './options';

/**
 * Checks the options, fills the defaults in and freezes the result.
 *
 * @throws Refusal LHM_BAD_OPTIONS with every problem at once, or LHM_IN_TRANSACTION
 */
export function resolveOptions(
  given: unknown,
  environment: { NODE_ENV?: string | undefined },
): ResolvedOptions {
  refuseBadOptions(findProblems(given));
  return withDefaults(given as LargeHadronOptions, environment.NODE_ENV === 'test');
}

function findProblems(given: unknown): Problem[] {
  if (typeof given !== 'object' || given === null) {
    return [
      {
        code: 'LHM_BAD_OPTION',
        message: 'The second argument must be the options.',
        hint: "Pass { knex }: largeHadronMigrate('emails', { knex }, (t) => { … }).",
      },
    ];
  }
  const options = given as Readonly<Record<string, unknown>>;
  const problems = checkFields(options, FIELDS, '');
  if (!isKnex(options['knex'])) {
    problems.push({
      code: 'LHM_BAD_OPTION',
      message: "Option 'knex' is missing or not a Knex instance.",
      hint: 'Pass the knex that the migration function was given: { knex }.',
    });
  } else if (isTransaction(options['knex'])) {
    problems.push({
      code: 'LHM_IN_TRANSACTION',
      message: "Option 'knex' is a transaction, whose own metadata locks would block the swap.",
      hint: 'Add to the migration file: export const config = { transaction: false };',
    });
  }
  const chunk = options['chunk'] as { rowsMin?: unknown; rowsMax?: unknown } | null | undefined;
  if (
    typeof chunk?.rowsMin === 'number' &&
    typeof chunk.rowsMax === 'number' &&
    chunk.rowsMin > chunk.rowsMax
  ) {
    problems.push({
      code: 'LHM_BAD_OPTION',
      message: `Option 'chunk.rowsMin' (${chunk.rowsMin}) is above 'chunk.rowsMax' (${chunk.rowsMax}).`,
      hint: 'Raise rowsMax or lower rowsMin.',
    });
  }
  problems.push(...controlProblems(options['control']), ...sourceProblems(options));
  return problems;
}

/** What only reading the binary log can do. */
function sourceProblems({ mode, binlog, replica }: Readonly<Record<string, unknown>>): Problem[] {
  const { source = false } = (binlog ?? {}) as { source?: unknown };
  const problems: Problem[] = [];
  const add = (message: string, hint: string): void => {
    problems.push({ code: 'LHM_BAD_OPTION', message, hint });
  };
  if (source !== false && mode !== 'binlog')
    add(
      "Option 'binlog.source' is given without mode: 'binlog'.",
      "Add mode: 'binlog', or leave binlog.source out.",
    );
  if (replica !== undefined && mode !== 'binlog')
    add(
      "Option 'replica' is given without mode: 'binlog': what is replicated by row fires no triggers.",
      "Add mode: 'binlog', or give the Knex of the primary and leave replica out.",
    );
  if (replica !== undefined && source !== false)
    add(
      "Options 'replica' and 'binlog.source' are given together: a replica that is migrated reads its own log.",
      'Leave one of them out.',
    );
  return problems;
}

/** Whoever reaches an address can stop the migration. */
function controlProblems(given: unknown): Problem[] {
  const { tcp = false, token } = (given ?? {}) as ControlOptions;
  if (tcp === false || (typeof token === 'string' && token.length >= 16)) return [];
  return [
    {
      code: 'LHM_BAD_OPTION',
      message: "Option 'control.tcp' is given without a 'control.token' of at least 16 characters.",
      hint: 'Give a token that nobody guesses, or leave control.tcp out.',
    },
  ];
}

function withDefaults(given: LargeHadronOptions, underTest: boolean): ResolvedOptions {
  const fixture = given.preset === undefined ? underTest : given.preset === 'fixture';
  const { chunk, verify = true, cutOver } = given;
  return deepFreeze({
    knex: given.knex,
    mode: given.mode ?? 'triggers',
    chunk: {
      rows: chunk?.rows ?? false,
      targetMs: chunk?.targetMs ?? (fixture ? 5000 : 500),
      rowsMin: chunk?.rowsMin ?? Math.min(fixture ? 50_000 : 100, chunk?.rowsMax ?? Infinity),
      rowsMax: chunk?.rowsMax ?? Math.max(50_000, chunk?.rowsMin ?? 0),
      pauseMs: chunk?.pauseMs ?? 0,
    },
    columns: {
      renamed: { ...given.columns?.renamed },
      values: { ...given.columns?.values },
      allowDataLoss: given.columns?.allowDataLoss ?? false,
    },
    verify:
      verify === false
        ? false
        : { rows: 10_000, underLock: 1000, ...(verify === true ? {} : dropUndefined(verify)) },
    cutOver: {
      strategy: cutOver?.strategy ?? 'auto',
      lockTimeoutMs: cutOver?.lockTimeoutMs ?? 1000,
      drainBudgetMs: cutOver?.drainBudgetMs ?? (fixture ? 5000 : 500),
      attempts: cutOver?.attempts ?? 100,
      backoffMs: cutOver?.backoffMs ?? (fixture ? 50 : 500),
      backoffMaxMs: cutOver?.backoffMaxMs ?? 30_000,
      killBlockers: cutOver?.killBlockers ?? false,
      postponeUntil: cutOver?.postponeUntil ?? null,
      ...(cutOver?.oldReadViews === undefined ? {} : { oldReadViews: cutOver.oldReadViews }),
    },
    idWindow: given.idWindow ?? (cutOver?.strategy === 'rename-then-replay' ? 11_000 : 0),
    triggers: {
      definer: given.triggers?.definer ?? null,
      existing: given.triggers?.existing ?? 'carry',
    },
    binlog: {
      source: given.binlog?.source ?? false,
      serverId: given.binlog?.serverId ?? false,
      heartbeatMs: given.binlog?.heartbeatMs ?? 500,
      batchRows: given.binlog?.batchRows ?? 1000,
    },
    replica: given.replica ?? null,
    throttle: resolveThrottle(given.throttle, fixture),
    control: resolveControl(given.control, !fixture),
    foreignKeys: given.foreignKeys ?? 'auto',
    blindSpots: given.blindSpots ?? 'refuse',
    reconnectMs: given.reconnectMs ?? (fixture ? 5000 : 120_000),
    viewsOf: fixture ? 'database' : 'server',
    giveUpAfterMs: orNever(given.giveUpAfterMs ?? (fixture ? 2000 : false)),
    cleanUp: { dropOldTable: given.cleanUp?.dropOldTable ?? false },
    exactRowCount: given.exactRowCount ?? !fixture,
    progress: given.progress ?? (fixture ? 'none' : 'auto'),
    hooks: { ...given.hooks },
    events: sinkOf(given.events ?? new LargeHadronEvents()),
    signal: given.signal,
    handleSignals: given.handleSignals ?? true,
  });
}

/** What nobody asked for must not slow fixtures down, nor open connections. */
function resolveThrottle(given: ThrottleOptions | undefined, fixture: boolean): ResolvedThrottle {
  return {
    maxLoad: given?.maxLoad ?? (fixture ? false : 'auto'),
    criticalLoad: given?.criticalLoad ?? false,
    criticalLoadIntervalMs: given?.criticalLoadIntervalMs ?? false,
    criticalLoadHibernateMs: given?.criticalLoadHibernateMs ?? false,
    maxHistoryLength: given?.maxHistoryLength ?? (fixture ? false : 'auto'),
    maxChunkMs: given?.maxChunkMs ?? (fixture ? false : 5000),
    replicas: [...(given?.replicas || [])],
    maxLagMs: given?.maxLagMs ?? 1500,
    niceRatio: given?.niceRatio ?? 0,
    flagFile: given?.flagFile ?? false,
    additionalFlagFile: given?.additionalFlagFile ?? false,
    query: given?.query ?? false,
    http: given?.http ?? false,
    sources: [...(given?.sources || [])],
    intervalMs: given?.intervalMs ?? 500,
  };
}

function orNever(ms: number | false): number {
  return ms === false ? Infinity : ms;
}

function dropUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function deepFreeze(options: ResolvedOptions): ResolvedOptions {
  for (const group of [
    options.chunk,
    options.columns,
    options.cutOver,
    options.triggers,
    options.binlog,
    options.throttle,
    options.control,
    options.cleanUp,
    options.hooks,
  ]) {
    Object.freeze(group);
  }
  return Object.freeze(options);
}
