import createKnex, { type Knex } from 'knex';
import { AdvisoryLock } from '../../lib/database/advisory-lock';
import type { Database } from '../../lib/database/database';
import { liveLock } from '../../lib/database/metadata-locks';
import { connectDatabase } from '../../lib/database/mysql-database';
import type { Session } from '../../lib/database/session';
import { Refusal } from '../../lib/errors';
import { prepareGhost } from '../../lib/ghost/prepare-ghost';
import { Hooks } from '../../lib/migration/hooks';
import { assemble, type Assembled } from '../../lib/migration/assemble';
import { Cleaner } from '../../lib/migration/cleaner';
import { resolveOptions } from '../../lib/options/resolve-options';
import { ProgressTracker } from '../../lib/progress/progress-tracker';
import { derivedNames, timestampOf, type DerivedNames } from '../../lib/schema/derived-names';
import { readTableSchema } from '../../lib/schema/read-table-schema';
import { ownerOf, StateTable } from '../../lib/state/state-table';
import { LiveSettings } from '../../lib/options/live-settings';
import { CutOverGate } from '../../lib/migration/cut-over-gate';
import { Throttler } from '../../lib/throttle/throttler';
import { sabotage, type Rewrite } from '../support/saboteur';
import type { RunningServer } from '../support/servers';
import { aroundQueries } from '../support/test-table-statements';
import type { Interleaver } from './interleaver';
import { alterOf, type Shape } from './shape';
import { Broken, TABLE } from './tables';

const AUTOCOMMIT_OFF = 'SET SESSION autocommit = 0';
const EPOCH = 'the model';

const noContext = (): never => {
  throw new Error('there are no hooks');
};

/** The library's own parts, put together as a migration does, one step at a time. */
export class Pipeline {
  private installed = false;
  private verifying = false;

  private constructor(
    private readonly knex: Knex,
    private readonly database: Database,
    private readonly observer: Session,
    private readonly parts: Assembled,
    private readonly schema: string,
    private readonly names: DerivedNames,
  ) {}

  static async create(
    server: RunningServer,
    schema: string,
    shape: Shape,
    interleaver: Interleaver,
    rewrite?: Rewrite,
  ): Promise<Pipeline> {
    const connection = { ...server.connection, database: schema };
    const knex = createKnex({ client: 'mysql2', connection, pool: { min: 0, max: 1 } });
    if (rewrite !== undefined) sabotage(knex, rewrite);
    aroundQueries(knex, interleaver.around);
    const options = resolveOptions(
      {
        ...{ knex, preset: 'fixture', progress: 'none', giveUpAfterMs: 1, reconnectMs: 10_000 },
        ...(server.mode === undefined ? {} : { mode: server.mode }),
        chunk: { rows: shape.chunkRows },
        verify: shape.verify ? { rows: shape.chunkRows + 1 } : false,
        cutOver: { strategy: shape.strategy },
      },
      {},
    );
    const database = await connectDatabase(knex);
    const observer = await database.open('observer');
    const lock = new AdvisoryLock(observer, schema, TABLE);
    await lock.acquire(TABLE);
    const names = derivedNames(TABLE, timestampOf(new Date()));
    const origin = await readTableSchema(observer, { schema, table: TABLE });
    const work = await database.open('work');
    const state = new StateTable(schema, TABLE, names, EPOCH);
    await state.create(work, new Date());
    const signal = new AbortController().signal;
    const bound = liveLock(1, signal);
    const { pair, keys, sqlMode } = await prepareGhost({
      ...{ knex, database, session: work, origin, names, columns: options.columns, alter: alterOf(shape) },
      ...{ foreignKeys: options.foreignKeys, bound },
    });
    await work.execute(AUTOCOMMIT_OFF);
    const progress = new ProgressTracker(TABLE);
    const settings = new LiveSettings(options);
    const parts = assemble({
      ...{ database, work, observer, lock, pair, keys, state, options, bound, progress, signal },
      stoppedBy: () => signal,
      logSource: null,
      ...{ throttler: new Throttler(settings, () => undefined), settings, gate: new CutOverGate() },
      ...{ triggers: [], epoch: EPOCH, hooks: new Hooks({}, noContext, () => undefined) },
      workSettings: [`SET SESSION sql_mode = '${sqlMode}'`, AUTOCOMMIT_OFF],
      owner: (session) => ownerOf(session, schema, names.state, EPOCH),
    });
    const pipeline = new Pipeline(knex, database, observer, parts, schema, names);
    if (parts.verifier !== null) await parts.recheck.create(work);
    parts.replayer.onApplied((session, keys) =>
      pipeline.verifying ? parts.recheck.record(session, keys) : Promise.resolve(),
    );
    return pipeline;
  }

  get applied(): number {
    return this.parts.replayer.applied;
  }

  get ready(): 'install' | 'copy' | 'verify' | 'swap' {
    const { copier, verifier } = this.parts;
    if (!this.installed) return 'install';
    if (!copier.done) return 'copy';
    return verifier === null || verifier.walkDone ? 'swap' : 'verify';
  }

  async install(): Promise<void> {
    const { source, guard } = this.parts;
    await source.start();
    await guard.remember(this.observer);
    this.parts.progress.enter('copy');
    this.installed = true;
  }

  copy(): Promise<void> {
    const { copier, work } = this.parts;
    // What was interrupted may turn out to have been the last chunk.
    return this.steadily(async () => {
      if (!copier.done) await copier.copyNext(work);
    });
  }

  replay(entries: number): Promise<unknown> {
    const { replayer, work } = this.parts;
    return this.steadily(() => replayer.replayBatch(work, entries));
  }

  async verify(): Promise<void> {
    const { verifier, work } = this.parts;
    this.verifying = true;
    await this.steadily(() => verifier?.walkNext(work) ?? Promise.resolve());
    this.refuseRepairs();
  }

  async recheck(): Promise<void> {
    const { verifier, work } = this.parts;
    await this.steadily(() => verifier?.recheckNext(work) ?? Promise.resolve(0));
    this.refuseRepairs();
  }

  /** One attempt; false where it was given up. */
  async swap(): Promise<boolean> {
    const { cutOver, progress } = this.parts;
    progress.enter('cut-over');
    try {
      await cutOver.run();
    } catch (error) {
      if (error instanceof Refusal && error.code === 'LHM_CUT_OVER_BLOCKED') return false;
      throw error;
    } finally {
      this.refuseRepairs();
    }
    return true;
  }

  /** After the swap nothing more may come for the old table. */
  async tidy(): Promise<void> {
    const { source, work, progress } = this.parts;
    const late = await this.steadily(async () => {
      await source.gather(null);
      const entries = await source.lockingBacklog(work);
      await work.execute('COMMIT');
      return entries;
    });
    if (late > 0) throw new Broken(`${late} changes reached the old table after the swap`);
    progress.enter('clean-up');
    await source.close();
    await this.steadily(() => this.cleaner.removeHelpers(this.observer));
  }

  async takeBack(): Promise<void> {
    await this.parts.source.close();
    return this.steadily(() => this.cleaner.removeAll(this.observer));
  }

  async close(): Promise<void> {
    await this.parts.source.close();
    await this.database.close();
    await this.knex.destroy();
  }

  private get cleaner(): Cleaner {
    return new Cleaner(this.schema, TABLE, this.names, liveLock(30_000));
  }

  private steadily<T>(step: () => Promise<T>): Promise<T> {
    return this.parts.recovery.steadily(step);
  }

  /** A verification that had to repair something would hide what the copy or the replay did wrong. */
  private refuseRepairs(): void {
    const repaired = [...(this.parts.verifier?.['repaired'] ?? [])];
    if (repaired.length > 0) throw new Broken(`the verification found ${repaired.join(', ')} different`);
  }
}
