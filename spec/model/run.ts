import { Refusal } from '../../lib/errors';
import type { Rewrite } from '../support/saboteur';
import type { RunningServer } from '../support/servers';
import { Application } from './application';
import { Interleaver, type Acts } from './interleaver';
import { Pipeline } from './pipeline';
import { mayCollide, type Shape } from './shape';
import type { Step } from './steps';
import { Broken } from './tables';

/** Attempts at the swap in the end, when nobody is in the way. */
const ATTEMPTS = 10;
/** Steps that finishing may take: many times what there is to copy. */
const MOST_STEPS = 400;

type PipelineStep = Extract<Step, { between: unknown }>;
const PLAIN = { entries: 100, commit: true, between: [] } as const;

export interface Place {
  readonly server: RunningServer;
  readonly database: string;
  /** Breaks a rule of the algorithm, to show that it would be noticed. */
  readonly sabotage?: Rewrite;
}

export interface Outcome {
  readonly end: 'swapped' | 'refused';
  /** Statements of the application that were done. */
  readonly statements: number;
  /** Changes that the library applied. */
  readonly applied: number;
  /** Connections of the library that were lost. */
  readonly lost: number;
}

/** One run of the model: a table, and what happens to it. */
export class Run {
  private readonly interleaver = new Interleaver();
  private pipeline: Pipeline | null = null;
  private end: Outcome['end'] | null = null;
  /** Whether rows that break the new rule were committed since the step began. */
  private collided = false;
  /** Whether the step asks for the table's lock, which it does not get while a transaction holds the table. */
  private lockAhead = false;

  private constructor(
    private readonly server: RunningServer,
    private readonly shape: Shape,
    private readonly application: Application,
  ) {}

  /** @throws Broken when a promise was broken; any other error is one that the library should not have thrown */
  static async of(
    { server, database, sabotage }: Place,
    shape: Shape,
    steps: readonly Step[],
  ): Promise<Outcome> {
    const application = await Application.create(server, database, shape);
    const run = new Run(server, shape, application);
    try {
      run.pipeline = await Pipeline.create(server, database, shape, run.interleaver, sabotage);
      for (const step of steps) await run.take(step);
      return await run.finish();
    } finally {
      await run.pipeline?.close();
      application.close();
    }
  }

  private async take(step: Step): Promise<void> {
    const { application } = this;
    switch (step.step) {
      case 'dml':
        return application.run(step.connection, step.dml);
      case 'begin':
        return application.begin(step.connection, step.snapshot);
      case 'end':
        return application.end(step.connection, step.commit);
      case 'view':
        return application.reader.open();
      case 'look':
        return application.reader.look();
      default:
        return this.advance(step);
    }
  }

  /** The step itself where its time has come, and otherwise the one that comes before it. */
  private async advance(step: PipelineStep): Promise<void> {
    const { pipeline } = this;
    if (this.end !== null || pipeline === null) return;
    const ready = pipeline.ready;
    if (ready === 'install')
      return this.guarded({ ...step, between: withoutLosses(step.between) }, () => this.install(step.commit));
    if (step.step === 'replay') return this.guarded(step, () => pipeline.replay(step.entries));
    if (ready === 'copy') return this.guarded(step, () => pipeline.copy());
    if (ready === 'verify')
      return this.guarded(step, () =>
        step.step === 'copy' ? pipeline.replay(step.entries) : pipeline.verify(),
      );
    if (step.step !== 'swap') return this.guarded(step, () => pipeline.recheck());
    await this.guarded(step, () => this.swap(step.commit));
  }

  /** Lets the application in between the statements of a step. */
  private async guarded(step: PipelineStep, work: () => Promise<unknown>): Promise<void> {
    this.collided = await this.collides();
    this.lockAhead = ['install', 'swap'].includes(this.pipeline?.ready ?? '');
    this.interleaver.arm(this.acts, step.between);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'LHM_DUPLICATE_ROWS') throw error;
      if (!this.collided) throw new Broken(`refused without a reason: ${error.message}`, { cause: error });
      await this.interleaver.disarm();
      await this.application.endThose('all', true);
      await this.pipeline?.takeBack();
      this.end = 'refused';
    }
    await this.interleaver.disarm();
  }

  private get acts(): Acts {
    return {
      run: async (connection, dml) => {
        await this.application.run(connection, dml, this.lockAhead ? 'alone' : 'anyhow');
        this.collided ||= await this.collides();
      },
      kill: (connection) => this.application.tables.kill(connection),
    };
  }

  private async collides(): Promise<boolean> {
    return mayCollide(this.shape) && (await this.application.tables.collides());
  }

  private async endThose(which: 'holding' | 'all', commit: boolean): Promise<void> {
    await this.application.endThose(which, commit);
    this.collided ||= await this.collides();
  }

  private async install(commit: boolean): Promise<void> {
    await this.endThose('holding', commit);
    await this.pipeline?.install();
  }

  private async swap(commit: boolean): Promise<void> {
    // Where older views cannot be told that they are old, the swap waits for them.
    await this.endThose(this.server.flavor === 'mysql' ? 'holding' : 'all', commit);
    if ((await this.pipeline?.swap()) !== true) return;
    await this.application.tables.follow();
    await this.pipeline?.tidy();
    this.end = 'swapped';
  }

  private async finish(): Promise<Outcome> {
    for (let attempt = 0, taken = 0; this.end === null; taken++) {
      if (this.pipeline?.ready === 'swap') attempt += 1;
      if (attempt > ATTEMPTS || taken > MOST_STEPS) throw new Broken(`not swapped after ${taken} steps`);
      await this.advance({ step: 'swap', ...PLAIN });
    }
    await this.application.reader.look();
    await this.application.endThose('all', true);
    await this.application.tables.compare();
    return {
      end: this.end,
      statements: this.application.done,
      applied: this.pipeline?.applied ?? 0,
      lost: this.interleaver.lost,
    };
  }
}

/** Until something was copied, a lost connection ends a migration. */
function withoutLosses(between: PipelineStep['between']): PipelineStep['between'] {
  return between.filter((act) => !('lose' in act));
}
