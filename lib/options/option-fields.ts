import type { Fields } from './fields';

const MS: { kind: 'number'; min: number; max: number } = { kind: 'number', min: 0, max: 86_400_000 };

/** Every option there is. */
export const FIELDS: Fields = {
  knex: { kind: 'any' },
  dryRun: { kind: 'one-of', values: ['ghost'], orBoolean: true },
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
      batchRows: { kind: 'number', min: 1, max: 10_000 },
    },
  },
  throttle: {
    kind: 'group',
    fields: {
      maxLoad: { kind: 'loads', orAuto: true },
      criticalLoad: { kind: 'loads' },
      criticalLoadIntervalMs: { ...MS, min: 1, orFalse: true },
      criticalLoadHibernateMs: { ...MS, min: 1, orFalse: true },
      maxHistoryLength: { kind: 'number', min: 1, max: Number.MAX_SAFE_INTEGER, orFalse: true, orAuto: true },
      maxChunkMs: { ...MS, min: 1, orFalse: true },
      replicas: { kind: 'replicas' },
      maxLagMs: { ...MS, min: 1, orFalse: true },
      niceRatio: { kind: 'number', min: 0, max: 100, fractions: true },
      flagFile: { kind: 'string', orFalse: true },
      additionalFlagFile: { kind: 'string', orFalse: true },
      query: { kind: 'string', orFalse: true },
      http: { kind: 'http' },
      sources: { kind: 'sources' },
      intervalMs: { kind: 'number', min: 20, max: 60_000 },
    },
  },
  control: {
    kind: 'group',
    orBoolean: true,
    fields: {
      socket: { kind: 'string', orBoolean: true },
      tcp: { kind: 'address' },
      token: { kind: 'string', orFalse: true },
      forceNamed: { kind: 'boolean' },
    },
  },
  foreignKeys: { kind: 'one-of', values: ['auto', 'refuse', 'discard'] },
  blindSpots: { kind: 'one-of', values: ['refuse', 'accept'] },
  reconnectMs: MS,
  giveUpAfterMs: { ...MS, orFalse: true },
  cleanUp: { kind: 'group', fields: { dropOldTable: { kind: 'boolean' } } },
  exactRowCount: { kind: 'boolean' },
  progress: { kind: 'one-of', values: ['auto', 'bar', 'lines', 'none'], orFunction: true },
  hooks: {
    kind: 'group',
    fields: {
      onStartup: { kind: 'function' },
      onValidated: { kind: 'function' },
      onRowCountComplete: { kind: 'function' },
      beforeRowCopy: { kind: 'function' },
      onBatchCopyRetry: { kind: 'function' },
      afterRowCopy: { kind: 'function' },
      onBeginPostponed: { kind: 'function' },
      beforeCutOver: { kind: 'function' },
      afterCutOver: { kind: 'function' },
      onInteractiveCommand: { kind: 'function' },
      onStatus: { kind: 'function' },
      onSuccess: { kind: 'function' },
      onFailure: { kind: 'function' },
      statusEveryMs: { ...MS, min: 10 },
      directory: { kind: 'string' },
      hint: { kind: 'string' },
      scriptTimeoutMs: { ...MS, min: 1 },
    },
  },
  events: { kind: 'events' },
  signal: { kind: 'signal' },
  handleSignals: { kind: 'boolean' },
  preset: { kind: 'one-of', values: ['production', 'fixture'] },
};
