import { randomUUID } from 'node:crypto';
import type { ChangeSource } from '../changes/change-source';
import type { AdvisoryLock } from '../database/advisory-lock';
import type { Database } from '../database/database';
import { liveLock } from '../database/metadata-locks';
import { patientSession } from '../database/patient-session';
import type { Session } from '../database/session';
import { messageOf } from '../database/server-error';
import { checkCanAnswer, chosenAnswer } from '../cut-over/old-read-views';
import type { LargeHadronError } from '../errors';
import { debugLog } from '../events/debug-log';
import { tellerOf, type Tell } from '../events/tell';
import { refuseOrphansEarly } from '../foreign-keys/orphans';
import type { AlterFunction } from '../ghost/alter-function';
import { prepareGhost } from '../ghost/prepare-ghost';
import { settleTimeZone } from '../ghost/time-zone';
import type { HookContext, ResolvedOptions } from '../options/options';
import { preflight } from '../preflight/preflight';
import type { ProgressTracker } from '../progress/progress-tracker';
import { derivedNames, timestampOf, type DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import type { TableSchema } from '../schema/table-schema';
import { refuseMovedColumns } from '../replication/refuse-moved-columns';
import { LiveSettings } from '../options/live-settings';
import { Throttler } from '../throttle/throttler';
import { ownerOf, StateTable } from '../state/state-table';
import { carriedTriggers } from '../table-triggers/carried-triggers';
import { assemble, whereReadingBegins, type Assembled } from './assemble';
import { CutOverGate } from './cut-over-gate';
import { removeDeadRun } from './dead-run';
import { FailedMigration, type Reached } from './failed-migration';
import { fillAndSwap } from './fill-and-swap';
import { Hooks } from './hooks';
import { swapBack } from './replica-test';
import { operate, type Operator, type Settled } from './operator';
import { Ownership } from './ownership';
import { migrationResult, type MigrationResult } from './result';
import type { StopSignals } from './stop-signals';
import { tellingLock } from './telling-lock';
import { tidy } from './tidy';
import { settingsOfWork } from './settings-of-work';
import { planned } from './planned';
import { whoBlocks } from './who-blocks';
import { clock } from '../util/clock';

const log = debugLog('migration');

/** Raised by nobody. */
const NEVER = new AbortController().signal;

/** One migration of one table: the story, and what to do when it breaks off. */
export class Migration {
  private readonly names: DerivedNames;
  private readonly startedAt = new Date(clock.now());
  private readonly epoch = randomUUID();
  private readonly reached: Reached = { stage: 'nothing', pair: null, work: null, observer: null };
  private readonly ownership: Ownership;
  private source: ChangeSource | null = null;
  private ending = false;
  private readonly settings: LiveSettings;
  private readonly throttler: Throttler;
  private readonly gate = new CutOverGate();
  private readonly signal: AbortSignal;
  readonly tell: Tell;
  readonly hooks: Hooks;
  /** For whoever lets a person intervene. */
  readonly operator: Operator;

  constructor(
    private readonly database: Database,
    /** The replica whose binary log is read; null for the server's own. */
    private readonly logSource: Database | null,
    private readonly name: TableName,
    private readonly options: ResolvedOptions,
    private readonly alter: AlterFunction | string,
    private readonly progress: ProgressTracker,
    { signal, stop }: Pick<StopSignals, 'signal' | 'stop'>,
  ) {
    this.signal = signal;
    this.tell = tellerOf(options.events, this.full);
    this.hooks = new Hooks(
      options.hooks,
      () => this.hookContext(),
      stop,
      (message) => this.tell('warning', { message }),
      signal,
      (hook) => progress.update({ hook }),
    );
    this.settings = new LiveSettings(options);
    this.throttler = new Throttler(this.settings, stop);
    const { settings, throttler, gate } = this;
    const { postponeUntil } = options.cutOver;
    this.operator = operate({
      ...{ settings, throttler, gate, progress, stop },
      flagFile: typeof postponeUntil === 'string' ? postponeUntil : null,
      server: `${database.server.flavor} ${database.server.version}`,
      coordinates: () => this.source?.coordinates?.() ?? whereReadingBegins(options),
      settled: () => this.settled(),
    });
    this.names = derivedNames(name.table, timestampOf(this.startedAt));
    this.ownership = new Ownership(name, this.names, this.epoch);
  }

  /** Runs the migration. On a rejection, `fail` must be called. */
  async run(): Promise<MigrationResult> {
    const { database, options, progress, signal, hooks } = this;
    const observer = await database.open('observer');
    this.reached.observer = observer;
    const lock = await this.ownership.acquire(observer);

    await hooks.run('onStartup');
    progress.enter('preflight');
    await this.throttler.open(database);
    await removeDeadRun(
      observer,
      database.server,
      this.name,
      this.epoch,
      liveLock(options.giveUpAfterMs, signal),
    );
    const origin = await settleTimeZone(database, observer, await this.preflight(observer));
    signal.throwIfAborted();

    await hooks.run('onValidated');
    progress.enter('clone');
    const work = await this.openWork();
    const parts = await this.clone(observer, work, lock, origin);
    this.source = parts.source;
    signal.throwIfAborted();

    progress.enter('capture');
    this.reached.stage = 'capturing';
    await parts.source.start();
    this.throttler.useHeartbeat(parts.source.heartbeat);
    await parts.recovery.steadily(() => parts.guard.remember(observer));

    const cutOver = await fillAndSwap(parts, () => this.hookContext());
    const test = options.replica === 'test';
    // How a test stands is looked at: nothing is swapped for good.
    if (!test) this.isSwapped();
    await this.throttler.close();
    await parts.recovery.steadily(() => parts.guard.checkOld(observer));
    await parts.recovery.steadily(() => parts.cutOver.finish());
    if (test) {
      const bound = liveLock(options.giveUpAfterMs);
      await parts.recovery.steadily(() => swapBack(observer, this.name, this.names, bound));
    }
    this.ending = true;
    await hooks.run('afterCutOver');

    progress.enter('clean-up');
    await tidy(parts, { ...this.name, names: this.names });
    const oldTable = test || options.cleanUp.dropOldTable ? null : this.names.old;
    const testedTable = test ? this.names.tested : null;
    return migrationResult({ ...parts, table: this.full, oldTable, testedTable, cutOver });
  }

  /** Closes what is not the migrated server's. Never rejects. */
  async dispose(): Promise<void> {
    await this.source?.close();
    await this.throttler.close();
  }

  /** Takes back what can be taken back, and says how the table stands. Never rejects. */
  async fail(error: unknown): Promise<LargeHadronError> {
    this.ending = true;
    const inTheWay = await whoBlocks(error, this.database, this.name);
    const facts = { phase: this.progress.phase, table: this.full, inTheWay };
    log('failed in phase %s: %s', facts.phase, messageOf(error));
    await this.throttler.close();
    await this.source?.close();
    const { database, name, names, options, ownership, hooks } = this;
    const onStartReplication = (): Promise<void> => hooks.run('onStartReplication');
    const input = { database, name, names, options, ownership, onStartReplication };
    return new FailedMigration(input, this.reached).describe(error, facts);
  }

  hookContext(): HookContext {
    return {
      table: this.full,
      ghostTable: this.names.ghost,
      oldTable: this.names.old,
      alter: typeof this.alter === 'string' ? this.alter : null,
      progress: this.progress.snapshot(),
    };
  }

  private preflight(observer: Session): Promise<TableSchema> {
    const { name, names, options, signal } = this;
    const session = patientSession(observer, liveLock(options.giveUpAfterMs, signal));
    return preflight({ session, server: this.database.server, name, names, options, source: this.logSource });
  }

  /** Copying and applying share one session, so that no two statements of ours ever meet the same row. */
  private async openWork(): Promise<Session> {
    const work = await this.database.open('work');
    this.reached.work = work;
    return work;
  }

  private async clone(
    observer: Session,
    work: Session,
    lock: AdvisoryLock,
    origin: TableSchema,
  ): Promise<Assembled> {
    const { database, name, names, options, progress, signal, throttler, settings, gate } = this;
    const state = new StateTable(name.schema, name.table, names, this.epoch);
    this.reached.stage = 'created';
    await state.create(work, this.startedAt);
    const patient = liveLock(options.giveUpAfterMs, signal);
    const bound = tellingLock(patient, observer, database, name, progress);
    const { pair, keys, sqlMode, statements } = await prepareGhost({
      ...{ knex: options.knex, database, session: patientSession(work, bound), origin, names },
      called: name.called,
      ...{ columns: options.columns, alter: this.alter, foreignKeys: options.foreignKeys, bound },
    });
    this.reached.pair = pair;
    if (options.replica === 'migrate') await refuseMovedColumns(observer, pair);
    this.tell('planned', planned(pair, statements));
    for (const key of keys.final)
      if (key.added) await refuseOrphansEarly(patientSession(observer, bound), pair, key);
    // Not before: the user's statements may have been SET, after which the session got its settings anew.
    const workSettings = settingsOfWork(this.epoch, keys);
    for (const setting of workSettings) await work.execute(setting);
    const answer = chosenAnswer(options.cutOver.oldReadViews, database.server, pair.ghost);
    await checkCanAnswer(observer, database.server, answer);
    const triggers = await carriedTriggers(
      patientSession(work, bound),
      pair,
      database.server.triggersLeaveFiles,
    );
    const parts = assemble({
      ...{ database, work, observer, lock, pair, keys, state, options, bound, progress, signal },
      stoppedBy: () => (this.reached.stage === 'swapped' ? NEVER : signal),
      logSource: this.logSource,
      ...{ throttler, settings, gate },
      hooks: this.hooks,
      triggers,
      workSettings: [
        `SET SESSION sql_mode = '${sqlMode}', SESSION ${database.server.statementTimeoutVariable} = 0`,
        ...workSettings,
      ],
      epoch: this.epoch,
      owner: (session) => ownerOf(session, name.schema, names.state, this.epoch),
    });
    if (parts.verifier !== null) {
      await parts.recheck.create(work);
      // Before the walk has begun there is nothing to compare again.
      parts.replayer.onApplied((session, keys) =>
        progress.phase === 'copy' || progress.phase === 'catch-up'
          ? Promise.resolve()
          : parts.recheck.record(session, keys),
      );
    }
    return parts;
  }

  /** From here on the migration does not stop: there is nothing to take back, and what is left to do is little. */
  private isSwapped(): void {
    const { reached, signal, tell } = this;
    reached.stage = 'swapped';
    const late = (): void =>
      tell('warning', {
        message: `It is too late to stop the migration: ${messageOf(signal.reason)} But the tables are swapped, and it goes on to its end.`,
      });
    if (signal.aborted) late();
    else signal.addEventListener('abort', late, { once: true });
  }

  private settled(): Settled | null {
    const { names, options } = this;
    if (this.reached.stage === 'swapped') {
      const kept = options.cleanUp.dropOldTable ? '' : `; the original is kept as '${names.old}'`;
      return { as: 'swapped', why: `the tables are swapped already${kept}` };
    }
    if (!this.ending && !this.signal.aborted) return null;
    return {
      as: 'ending',
      why: 'the migration is ending already, and how the table stands is in what it says then',
    };
  }

  private get full(): string {
    return `${this.name.schema}.${this.name.table}`;
  }
}
