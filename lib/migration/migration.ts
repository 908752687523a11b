import { randomUUID } from 'node:crypto';
import type { ChangeSource } from '../changes/change-source';
import type { AdvisoryLock } from '../database/advisory-lock';
import type { Database } from '../database/database';
import { liveLock } from '../database/metadata-locks';
import { patientSession } from '../database/patient-session';
import type { Session } from '../database/session';
import { isReadOnlyServer } from '../database/read-only';
import { areTriggersUnreadable, messageOf } from '../database/server-error';
import { ConnectionDoesNotEnd } from '../database/ended-connection';
import { checkCanAnswer, chosenAnswer } from '../cut-over/old-read-views';
import { NameTaken, Refusal, type LargeHadronError, type Leftover, type Outcome } from '../errors';
import { debugLog } from '../events/debug-log';
import { refuseOrphansEarly } from '../foreign-keys/orphans';
import type { AlterFunction } from '../ghost/alter-function';
import { prepareGhost } from '../ghost/prepare-ghost';
import { settleTimeZone } from '../ghost/time-zone';
import type { HookContext, ResolvedOptions } from '../options/options';
import { preflight } from '../preflight/preflight';
import type { ProgressTracker } from '../progress/progress-tracker';
import { derivedNames, timestampOf, type DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import type { TablePair } from '../schema/table-pair';
import type { TableSchema } from '../schema/table-schema';
import { LiveSettings } from '../options/live-settings';
import { Throttler } from '../throttle/throttler';
import { ownerOf, StateTable } from '../state/state-table';
import { carriedTriggers } from '../table-triggers/carried-triggers';
import { assemble, type Assembled } from './assemble';
import { Cleaner } from './cleaner';
import { CutOverGate } from './cut-over-gate';
import { removeDeadRun } from './dead-run';
import { describeFailure, tellingMost } from './describe-failure';
import { fillAndSwap } from './fill-and-swap';
import { finalStanding } from './final-standing';
import { runHook } from './hooks';
import { operate, type Operator } from './operator';
import { Ownership } from './ownership';
import { possibleLeftovers } from './possible-leftovers';
import { settleSteps } from './settle-steps';
import { migrationResult, type MigrationResult } from './result';
import { takeBack } from './take-back';
import type { StopSignals } from './stop-signals';
import { tellingLock } from './telling-lock';
import { tidy } from './tidy';
import { settingsOfWork } from './settings-of-work';
import { whoBlocks } from './who-blocks';
import { clock } from '../util/clock';

const log = debugLog('migration');

/** How far a migration got: what a failure has to take back, and what it may claim. */
type Stage = 'nothing' | 'created' | 'capturing' | 'swapped';

/** Sessions on which cleaning up is tried: the first may be cut off like the one before. */
const SETTLE_ATTEMPTS = 2;

/** The state table says what foreign keys and triggers still need. */
const CLEAN_UP =
  ' Better than by hand: largeHadronCleanUp, or the next migration of the table, finishes what was begun and removes the rest.';

/** How a failed migration leaves the server. */
interface Settled {
  readonly outcome: Outcome;
  readonly leftovers: readonly Leftover[];
  /** Whether trying once more may remove the rest. */
  readonly again: boolean;
}

/** One migration of one table: the story, and what to do when it breaks off. */
export class Migration {
  private readonly names: DerivedNames;
  private readonly startedAt = new Date(clock.now());
  private readonly epoch = randomUUID();
  private stage: Stage = 'nothing';
  private pair: TablePair | null = null;
  private work: Session | null = null;
  private observer: Session | null = null;
  private readonly ownership: Ownership;
  private source: ChangeSource | null = null;
  /** What a person has to look at after a failure. */
  private readonly found: string[] = [];
  private readonly settings: LiveSettings;
  private readonly throttler: Throttler;
  private readonly gate = new CutOverGate();
  private readonly signal: AbortSignal;
  /** For whoever lets a person intervene. */
  readonly operator: Operator;

  constructor(
    private readonly database: Database,
    private readonly name: TableName,
    private readonly options: ResolvedOptions,
    private readonly alter: AlterFunction | string,
    private readonly progress: ProgressTracker,
    { signal, stop }: Pick<StopSignals, 'signal' | 'stop'>,
  ) {
    this.signal = signal;
    this.settings = new LiveSettings(options);
    this.throttler = new Throttler(this.settings, stop);
    const { settings, throttler, gate } = this;
    const { postponeUntil } = options.cutOver;
    this.operator = operate({
      ...{ settings, throttler, gate, progress, stop },
      flagFile: typeof postponeUntil === 'string' ? postponeUntil : null,
      server: `${database.server.flavor} ${database.server.version}`,
      coordinates: () => this.source?.coordinates?.() ?? null,
    });
    this.names = derivedNames(name.table, timestampOf(this.startedAt));
    this.ownership = new Ownership(name, this.names, this.epoch);
  }

  /** Runs the migration. On a rejection, `fail` must be called. */
  async run(): Promise<MigrationResult> {
    const { database, options, progress, signal } = this;
    const { hooks } = options;
    const observer = await database.open('observer');
    this.observer = observer;
    const lock = await this.ownership.acquire(observer);

    progress.enter('preflight');
    await this.throttler.open(database);
    await removeDeadRun(observer, this.name, this.epoch, liveLock(options.giveUpAfterMs, signal));
    const origin = await settleTimeZone(database, observer, await this.preflight(observer));
    signal.throwIfAborted();

    progress.enter('clone');
    const work = await this.openWork();
    const parts = await this.clone(observer, work, lock, origin);
    this.source = parts.source;
    signal.throwIfAborted();

    progress.enter('capture');
    this.stage = 'capturing';
    await parts.source.start();
    this.throttler.useHeartbeat(parts.source.heartbeat);
    await parts.recovery.steadily(() => parts.guard.remember(observer));

    const cutOver = await fillAndSwap(parts, () => this.hookContext());
    this.stage = 'swapped';
    await this.throttler.close();
    await parts.recovery.steadily(() => parts.guard.checkOld(observer));
    await parts.recovery.steadily(() => parts.cutOver.finish());
    await runHook(hooks, 'afterCutOver', () => this.hookContext());

    progress.enter('clean-up');
    await tidy(parts, { schema: this.name.schema, names: this.names });
    const oldTable = this.options.cleanUp.dropOldTable ? null : this.names.old;
    return migrationResult({ ...parts, table: this.full, oldTable, cutOver });
  }

  /** Closes what is not the migrated server's. Never rejects. */
  async dispose(): Promise<void> {
    await this.source?.close();
    await this.throttler.close();
  }

  /** Takes back what can be taken back, and says how the table stands. Never rejects. */
  async fail(error: unknown): Promise<LargeHadronError> {
    const inTheWay = await whoBlocks(error, this.database, this.name);
    const facts = { phase: this.progress.phase, table: this.full, inTheWay };
    log('failed in phase %s: %s', facts.phase, messageOf(error));
    await this.throttler.close();
    await this.source?.close();
    const foreign = error instanceof NameTaken ? error.taken : null;
    if (this.stage === 'nothing' || foreign === this.names.state)
      return describeFailure(error, { ...facts, outcome: 'untouched', leftovers: [] });
    // Nothing can be taken back before it can be opened, and how its triggers were made is in the state table.
    if (areTriggersUnreadable(error))
      return describeFailure(error, { ...facts, ...this.unsettled(), advice: '' });
    for (let attempt = 1; ; attempt++) {
      try {
        const { outcome, leftovers, again } = await this.settle(foreign);
        if (again && attempt < SETTLE_ATTEMPTS) continue;
        const seen =
          this.found.length === 0 ? '' : ` While foreign keys were away, ${this.found.join('; ')}.`;
        return describeFailure(error, { ...facts, inTheWay: inTheWay + seen, outcome, leftovers });
      } catch (secondError) {
        log('attempt %d to clean up: %s', attempt, messageOf(secondError));
        const refused = secondError instanceof Refusal || secondError instanceof ConnectionDoesNotEnd;
        if (!refused && attempt < SETTLE_ATTEMPTS) continue;
        const notTakenBack = refused ? secondError : undefined;
        return describeFailure(tellingMost(error, secondError), {
          ...{ ...facts, ...this.unsettled(), notTakenBack, advice: CLEAN_UP },
        });
      }
    }
  }

  /** What may be claimed while the server cannot be asked. Before changes are captured the table was only read. */
  private unsettled(): Pick<Settled, 'outcome' | 'leftovers'> & { readonly unsure: true } {
    const { stage } = this;
    const outcome = stage === 'swapped' ? 'swapped' : stage === 'capturing' ? 'unknown' : 'rolled-back';
    return { outcome, leftovers: possibleLeftovers(this.name.schema, this.names, outcome), unsure: true };
  }

  /** Finds out how the tables stand, on a session of its own, and takes back what was not swapped. */
  private async settle(foreign: string | null): Promise<Settled> {
    const session = await this.openCleaner();
    // A statement that was cut off on our side may still be running on the server's.
    if (this.work !== null && !this.work.lost) await this.work.close();
    const { schema } = this.name;
    const bound = liveLock(this.options.giveUpAfterMs);
    const { owner, swapped } = await finalStanding({
      ...{ session, database: this.database, bound },
      pair: this.stage === 'capturing' ? this.pair : null,
      owner: (on) => this.ownership.on(on),
    });
    if (swapped) this.stage = 'swapped';
    const cleaner = new Cleaner(schema, this.names, bound, {
      foreign,
      captures: this.stage !== 'created',
    });
    if (owner === 'ours' && this.pair !== null)
      this.found.push(
        ...(await settleSteps(session, this.name, this.names, this.stage === 'swapped', bound)),
      );
    if (this.stage === 'swapped') {
      return { outcome: 'swapped', leftovers: await cleaner.leftovers(session, owner), again: false };
    }
    // Another server may have taken over, and would miss what is dropped here.
    if (await isReadOnlyServer(session))
      return { outcome: 'rolled-back', leftovers: await cleaner.leftovers(session, owner), again: false };
    const unbroken = this.ownership.isUnbroken;
    const { leftovers, again } = await takeBack({ cleaner, session, owner, unbroken });
    const outcome = this.stage === 'capturing' || leftovers.length > 0 ? 'rolled-back' : 'untouched';
    return { outcome, leftovers, again };
  }

  /**
   * The session that holds our lock, as long as it does: what it still waits for cannot outlive the lock. Otherwise a new
   * one; and where that meets another server, one that is left of the old ones takes back what was begun.
   */
  private async openCleaner(): Promise<Session> {
    const { observer } = this;
    const holder = await this.ownership.holder();
    if (holder !== null) return holder;
    try {
      return await this.database.open('cleaner');
    } catch (error) {
      if (!(error instanceof Refusal) || observer === null || observer.lost) throw error;
      return observer;
    }
  }

  hookContext(): HookContext {
    return {
      table: this.full,
      ghostTable: this.names.ghost,
      oldTable: this.names.old,
      progress: this.progress.snapshot(),
    };
  }

  private preflight(observer: Session): Promise<TableSchema> {
    const { name, names, options, signal } = this;
    const session = patientSession(observer, liveLock(options.giveUpAfterMs, signal));
    return preflight({ session, server: this.database.server, name, names, options });
  }

  /** Copying and applying share one session, so that no two statements of ours ever meet the same row. */
  private async openWork(): Promise<Session> {
    this.work = await this.database.open('work');
    return this.work;
  }

  private async clone(
    observer: Session,
    work: Session,
    lock: AdvisoryLock,
    origin: TableSchema,
  ): Promise<Assembled> {
    const { database, name, names, options, progress, signal, throttler, settings, gate } = this;
    const state = new StateTable(name.schema, name.table, names, this.epoch);
    this.stage = 'created';
    await state.create(work, this.startedAt);
    const patient = liveLock(options.giveUpAfterMs, signal);
    const bound = tellingLock(patient, observer, database, name, progress);
    const { pair, keys, sqlMode } = await prepareGhost({
      ...{ knex: options.knex, database, session: patientSession(work, bound), origin, names },
      called: name.called,
      ...{ columns: options.columns, alter: this.alter, foreignKeys: options.foreignKeys, bound },
    });
    this.pair = pair;
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
      ...{ throttler, settings, gate },
      triggers,
      workSettings: [`SET SESSION sql_mode = '${sqlMode}'`, ...workSettings],
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

  private get full(): string {
    return `${this.name.schema}.${this.name.table}`;
  }
}
