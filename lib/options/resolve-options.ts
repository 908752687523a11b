import { Refusal, type Problem } from '../errors';
import { isKnex, isTransaction } from '../database/knex-connection';
import { checkFields, type Fields } from './fields';
import type { LargeHadronOptions, ResolvedOptions } from './options';

const MS: { kind: 'number'; min: number; max: number } = { kind: 'number', min: 0, max: 86_400_000 };

/** Every option there is. */
const FIELDS: Fields = {
  knex: { kind: 'any' },
  dryRun: { kind: 'boolean' },
  mode: { kind: 'one-of', values: ['triggers', 'binlog'] },
  chunk: {
    kind: 'group',
    fields: {
      rows: { kind: 'number', min: 1, max: 1_000_000, orFalse: true },
      targetMs: { kind: 'number', min: 10, max: 60_000 },
      rowsMin: { kind: 'number', min: 1, max: 1_000_000 },
      rowsMax: { kind: 'number', min: 1, max: 1_000_000 },
      pauseMs: MS,
    },
  },
  columns: {
    kind: 'group',
    fields: { renamed: { kind: 'names' }, values: { kind: 'names' }, allowDataLoss: { kind: 'boolean' } },
  },
  verify: {
    kind: 'group',
    orBoolean: true,
    fields: {
      rows: { kind: 'number', min: 1, max: 1_000_000 },
      underLock: { kind: 'number', min: 0, max: 100_000 },
    },
  },
  cutOver: {
    kind: 'group',
    fields: {
      strategy: {
        kind: 'one-of',
        values: ['auto', 'rename-under-lock', 'sentry', 'two-step', 'rename-then-replay'],
      },
      lockTimeoutMs: { kind: 'number', min: 1000, max: 60_000 },
      drainBudgetMs: { kind: 'number', min: 1, max: 60_000 },
      attempts: { kind: 'number', min: 1, max: 1_000_000 },
      backoffMs: MS,
      backoffMaxMs: MS,
      oldReadViews: { kind: 'one-of', values: ['error', 'wait', 'ignore'] },
      killBlockers: { kind: 'boolean' },
      postponeUntil: { kind: 'string', orNull: true, orFunction: true },
    },
  },
  idWindow: { kind: 'number', min: 0, max: 2_000_000_000 },
  triggers: {
    kind: 'group',
    fields: {
      definer: { kind: 'string', orNull: true },
      existing: { kind: 'one-of', values: ['carry', 'refuse'] },
    },
  },
  binlog: {
    kind: 'group',
    fields: {
      serverId: { kind: 'number', min: 1, max: 4_294_967_295, orFalse: true },
      heartbeatMs: { kind: 'number', min: 10, max: 60_000 },
    },
  },
  throttle: { kind: 'group', fields: { replicas: { kind: 'knexes' } } },
  foreignKeys: { kind: 'one-of', values: ['auto', 'refuse', 'discard'] },
  blindSpots: { kind: 'one-of', values: ['refuse', 'accept'] },
  reconnectMs: MS,
  giveUpAfterMs: { ...MS, orFalse: true },
  cleanUp: { kind: 'group', fields: { dropOldTable: { kind: 'boolean' } } },
  progress: { kind: 'one-of', values: ['auto', 'bar', 'lines', 'none'], orFunction: true },
  hooks: {
    kind: 'group',
    fields: {
      beforeRowCopy: { kind: 'function' },
      afterRowCopy: { kind: 'function' },
      beforeCutOver: { kind: 'function' },
      afterCutOver: { kind: 'function' },
      onStatus: { kind: 'function' },
      onSuccess: { kind: 'function' },
      onFailure: { kind: 'function' },
    },
  },
  signal: { kind: 'signal' },
  handleSignals: { kind: 'boolean' },
  preset: { kind: 'one-of', values: ['production', 'fixture'] },
};

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

/** @throws Refusal with the code of the only problem, or LHM_BAD_OPTIONS with all of them */
export function refuseBadOptions(problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const message = problems.map((problem) => `${problem.message} ${problem.hint}`).join('\n');
  throw new Refusal(problems.length === 1 ? first.code : 'LHM_BAD_OPTIONS', message, first.hint, {
    problems,
  });
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
  const strategy = (options['cutOver'] as { strategy?: unknown } | null | undefined)?.strategy;
  if (options['mode'] === 'binlog' && (strategy === 'two-step' || strategy === 'rename-then-replay')) {
    problems.push({
      code: 'LHM_NOT_AVAILABLE',
      message: `cutOver.strategy: '${strategy}' may give the original its name back, and the binary log of a table is not followed across names.`,
      hint: "Leave cutOver.strategy out, or use mode: 'triggers'.",
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
  return problems;
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
      serverId: given.binlog?.serverId ?? false,
      heartbeatMs: given.binlog?.heartbeatMs ?? 500,
    },
    throttle: { replicas: [...(given.throttle?.replicas ?? [])] },
    foreignKeys: given.foreignKeys ?? 'auto',
    blindSpots: given.blindSpots ?? 'refuse',
    reconnectMs: given.reconnectMs ?? (fixture ? 5000 : 120_000),
    viewsOf: fixture ? 'database' : 'server',
    giveUpAfterMs: orNever(given.giveUpAfterMs ?? (fixture ? 2000 : false)),
    cleanUp: { dropOldTable: given.cleanUp?.dropOldTable ?? false },
    progress: given.progress ?? (fixture ? 'none' : 'auto'),
    hooks: { ...given.hooks },
    signal: given.signal,
    handleSignals: given.handleSignals ?? true,
  });
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
    options.cleanUp,
    options.hooks,
  ]) {
    Object.freeze(group);
  }
  return Object.freeze(options);
}
