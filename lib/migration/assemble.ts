import { ChangeApplier } from '../changes/change-applier';
import { CascadeFollower } from '../changes/cascade-follower';
import { ConflictFinder } from '../changes/conflict-finder';
import { CulpritFinder } from '../changes/culprit-finder';
import { LossFinder } from '../changes/loss-finder';
import { BinlogChangeSource } from '../changes/binlog/binlog-change-source';
import { BATCH_ENTRIES, Replayer } from '../changes/replayer';
import { ScratchTable } from '../changes/scratch-table';
import { TriggerChangeSource } from '../changes/triggers/trigger-change-source';
import { TriggerTurn } from '../changes/triggers/trigger-turn';
import { ChunkSizer } from '../chunk/chunk-sizer';
import { RowCopier } from '../copy/row-copier';
import { CutOver } from '../cut-over/cut-over';
import { mayTakeBackRenames, refuseSteps } from '../cut-over/refuse-steps';
import type { AdvisoryLock } from '../database/advisory-lock';
import type { Database } from '../database/database';
import { readOnlySwitch } from '../database/read-only';
import type { BoundedLock } from '../database/metadata-locks';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { ChildGuard } from '../guard/child-guard';
import { OriginGuard } from '../guard/origin-guard';
import type { LiveSettings } from '../options/live-settings';
import type { ResolvedOptions } from '../options/options';
import type { ProgressTracker } from '../progress/progress-tracker';
import { mapColumns, readsVariables } from '../schema/column-mapping';
import { PairView } from '../schema/pair-view';
import { columnNamed } from '../schema/table-schema';
import { widthOf } from '../schema/key-column';
import type { KeyPlan } from '../schema/key-plan';
import type { TablePair } from '../schema/table-pair';
import type { StateTable } from '../state/state-table';
import type { Throttler } from '../throttle/throttler';
import { RecheckTable } from '../verify/recheck-table';
import { Verifier } from '../verify/verifier';
import type { CarriedTrigger } from '../table-triggers/table-trigger';
import type { CutOverGate } from './cut-over-gate';
import type { Hooks } from './hooks';
import { tellerOf } from '../events/tell';
import { lockedSteps } from './locked-steps';
import { Recovery, type RecoveryDeps } from './recovery';
import { refuseTestedSteps, ReplicaTest } from './replica-test';
import { clearToSwap } from './postpone';
import { keepUp, type Parts } from './run-migration';

export interface AssembleInput {
  readonly database: Database;
  /** The replica whose binary log is read; null for the server's own. */
  readonly logSource: Database | null;
  readonly work: Session;
  readonly observer: Session;
  readonly lock: AdvisoryLock;
  readonly pair: TablePair;
  readonly keys: KeyPlan;
  readonly state: StateTable;
  /** The table's own triggers. */
  readonly triggers: readonly CarriedTrigger[];
  /** What the state table knows this run by. */
  readonly epoch: string;
  /** Settings of the work session that a new connection of its has to get again. */
  readonly workSettings: readonly string[];
  readonly owner: RecoveryDeps['owner'];
  readonly throttler: Throttler;
  readonly hooks: Hooks;
  readonly settings: LiveSettings;
  readonly gate: CutOverGate;
  readonly options: ResolvedOptions;
  readonly bound: BoundedLock;
  readonly progress: ProgressTracker;
  readonly signal: AbortSignal;
  /** The same until the tables are swapped; then what is never raised. */
  readonly stoppedBy: () => AbortSignal;
}

export interface Assembled extends Parts {
  /** The server whose binary log is read; null where none is. */
  readonly logged: Database | null;
  readonly pair: TablePair;
  readonly recheck: RecheckTable;
  /** Null where the swap is meant to stay. */
  readonly replicaTest: ReplicaTest | null;
  readonly server: ServerCapabilities;
}

/** Bytes of keys in one statement, as hexadecimal text: more of them would not be any faster. */
const KEY_BYTES = 250_000;

/** What an entry takes at least in any statement that lists some: a number, and the words around it. */
const ENTRY_BYTES = 40;

/**
 * How many entries one statement may list: as many as fit into a quarter of a packet of the session's, because there is
 * more in it than keys, and some statements list them twice. Another connection may have another limit.
 */
function batchEntries({ origin, key }: TablePair, { maxPacket }: Session, most = BATCH_ENTRIES): number {
  const widths = key.originKeys.names.map(
    (name) => 2 * widthOf(columnNamed(origin, name)) + name.length + 20,
  );
  const bytes = Math.max(
    ENTRY_BYTES,
    widths.reduce((sum, width) => sum + width, 0),
  );
  return Math.max(1, Math.min(most, Math.floor(Math.min(KEY_BYTES, maxPacket / 4) / bytes)));
}

/** Longest time, in ms, that rows of other tables stay locked by a chunk. */
const PARENTS_LOCKED_MS = 100;

/** A chunk locks the parents of its rows by the keys that the ghost carries. */
function chunkOptions({ chunk }: LiveSettings, { carriedKeys }: TablePair): LiveSettings['chunk'] {
  if (carriedKeys.length === 0) return chunk;
  return {
    ...chunk,
    targetMs: Math.min(chunk.targetMs, PARENTS_LOCKED_MS),
    rowsMin: Math.min(chunk.rowsMin, 1000),
  };
}

/** What there is to tell of the binary log before any of it has been read; null where it never is. */
export function whereReadingBegins({ mode }: Pick<ResolvedOptions, 'mode'>): string | null {
  return mode === 'binlog' ? 'the binary log is not read yet' : null;
}

/** Builds the parts of a migration; the only place that knows which implementation serves an option. */
export function assemble(input: AssembleInput): Assembled {
  const {
    database,
    work,
    observer,
    lock,
    keys,
    state,
    options,
    bound,
    progress,
    signal,
    stoppedBy,
    settings,
  } = input;
  const view = new PairView(input.pair, (origin) =>
    mapColumns(origin, input.pair.ghost, input.pair.mapping, input.pair.values, {
      lossy: options.columns.allowDataLoss,
      server: database.server,
    }),
  );
  const { pair } = view;
  const entries = (): number => batchEntries(pair, work);
  const readOnly = readOnlySwitch(database.server, options.replica !== null);
  const tell = tellerOf(options.events, `${pair.schema}.${pair.origin.table}`);
  const source =
    options.mode === 'binlog'
      ? new BinlogChangeSource(pair, database, work, {
          ...options.binlog,
          reconnectMs: options.reconnectMs,
          readOnly,
          keysAtOnce: entries,
          takesBackRenames: mayTakeBackRenames(options.cutOver.strategy),
          ...{ replica: input.logSource, mostDelayMs: options.cutOver.drainBudgetMs, stoppedBy },
          waiting: (waitingFor) => progress.update({ waitingFor }),
          warn: (message) => tell('warning', { message }),
        })
      : new TriggerChangeSource(
          pair,
          work,
          options.triggers.definer,
          bound,
          database.server.preparedXaLosesLocks,
          new TriggerTurn(work, database.server.triggersLeaveFiles),
        );
  const scratch = new ScratchTable(pair);
  const applier = new ChangeApplier(
    pair,
    new ConflictFinder(pair, scratch, entries),
    new CulpritFinder(pair, scratch),
    new LossFinder(pair),
    new CascadeFollower(pair),
    source,
    entries,
  );
  const copier = new RowCopier(
    pair,
    applier,
    state,
    new ChunkSizer(() => chunkOptions(settings, pair)),
    async (attempt, error) => {
      tell('retry', { attempt, error });
      await input.hooks.retry(attempt, error);
    },
  );
  const batch = (): number =>
    options.mode === 'binlog' ? batchEntries(pair, work, settings.binlog.batchRows) : entries();
  const replayer = new Replayer(source, applier, state, () => copier.copiedTo, batch);
  const recheck = new RecheckTable(pair);
  const verifier =
    options.verify === false
      ? null
      : new Verifier(pair, source, recheck, scratch, options.verify.rows, entries, tell);
  const guard = new OriginGuard(
    pair,
    source,
    { server: database.server, name: { schema: pair.schema, table: pair.origin.table } },
    new ChildGuard(pair, keys, database.server),
    { readOnly, onReplica: options.replica !== null, byTriggers: options.mode === 'triggers' },
  );
  const recovery = new Recovery({
    ...{ database, work, observer, lock, copier, progress, stoppedBy, tell },
    bound: [...pair.values.values()].some(readsVariables),
    ...{ owner: input.owner, workSettings: input.workSettings },
    readOnly,
    ...{ giveUpAfterMs: options.giveUpAfterMs, reconnectMs: options.reconnectMs },
  });
  const deps = {
    ...{ database, work, observer, source, replayer, verifier, guard, options, signal },
    ...{ pair: input.pair, view, state, epoch: input.epoch },
    steps: lockedSteps({
      ...{ pair: input.pair, keys, work, state, guard, source, triggers: input.triggers },
      server: database.server,
      turnsNeeded: database.server.triggersLeaveFiles,
      lockOutlivesSwap:
        database.server.renameUnderLock && ['auto', 'rename-under-lock'].includes(options.cutOver.strategy),
    }),
    steadiness: recovery,
  };
  refuseSteps(options.cutOver.strategy, deps.steps);
  let replicaTest: ReplicaTest | null = null;
  if (options.replica === 'test') {
    refuseTestedSteps(deps.steps);
    replicaTest = new ReplicaTest(database, work, state, () => input.hooks.run('onStopReplication'));
  }
  const cutOver: CutOver = new CutOver(deps, progress, (ms) => keepUp(parts, ms), {
    untilClear: () => clearToSwap(parts),
    notMeanwhile: (attempt) => input.throttler.notMeanwhile(attempt),
  });
  const parts: Assembled = {
    ...{
      database,
      work,
      observer,
      lock,
      source,
      guard,
      copier,
      replayer,
      verifier,
      cutOver,
      recovery,
      throttler: input.throttler,
      hooks: input.hooks,
      tell,
      settings,
      gate: input.gate,
      progress,
      options,
      signal,
    },
    replicaTest,
    logged: options.mode === 'binlog' ? (input.logSource ?? database) : null,
    pair: input.pair,
    recheck,
    server: database.server,
  };
  return parts;
}
