import createKnex from 'knex';
import { largeHadronCleanUp, type Phase } from '../../lib';
import type { RunningServer } from '../support/servers';
import { Random } from '../support/workload/random';
import { MIGRATING } from './account';
import type { Application, Verdict } from './application';
import { untruths } from './judge';
import { LedgerApplication } from './ledger-application';
import type { Migrator, Order } from './migrator';
import { planCycle, spared, type CyclePlan, type Fault, type FaultKind } from './plan';
import { situation } from './situation';
import { strike } from './strike';
import { SoakedTable } from './table';
import { TwinApplication } from './twin-application';

const TABLE = 'emails';
/** How long one run may take. */
const LIMIT_MS = 120_000;
/** Runs until the table is changed; all but the first are left in peace. */
const MOST_RUNS = 5;

export interface CycleResult {
  readonly plan: CyclePlan;
  readonly runs: number;
  readonly changed: boolean;
  readonly struck: readonly FaultKind[];
  /** Ends of runs other than success, for the summary. */
  readonly ends: readonly string[];
  readonly verdict: Verdict | null;
  readonly problems: readonly string[];
}

/** The parts that outlive a cycle. */
export interface Lane {
  readonly server: RunningServer;
  /** A living process, a new one where the last was killed. */
  migrator(): Migrator;
}

/** One table, one application on it, one migration with its faults, as often as it takes; and the whole comparison. */
export async function runCycle(lane: Lane, seed: number, database: string): Promise<CycleResult> {
  return new Cycle(lane, planCycle(seed, lane.server.flavor), database).run();
}

class Cycle {
  private readonly problems: string[] = [];
  private readonly ends: string[] = [];
  private readonly struck: FaultKind[] = [];
  private readonly strikes: Promise<unknown>[] = [];
  private downs: Promise<unknown> = Promise.resolve();
  private readonly table: SoakedTable;
  private readonly random: Random;
  private runs = 0;
  private phase: Phase = 'preflight';

  constructor(
    private readonly lane: Lane,
    private readonly plan: CyclePlan,
    private readonly database: string,
  ) {
    this.table = new SoakedTable(lane.server, database, TABLE);
    this.random = Random.stream(plan.seed, 1);
  }

  async run(): Promise<CycleResult> {
    const { plan } = this;
    await this.table.drop();
    const application = this.application();
    await application.prepare();
    await application.start();
    let changed = false;
    try {
      changed = await this.migrate();
    } catch (error) {
      this.problems.push(`the cycle itself failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
    await Promise.all(this.strikes);
    const verdict = await application.stop().catch((error: unknown) => {
      this.problems.push(String(error));
      return null;
    });
    this.problems.push(...(verdict?.problems ?? []));
    await this.table.drop();
    const { runs, struck, ends, problems } = this;
    return { plan, runs, changed, struck, ends, verdict, problems };
  }

  private get order(): Order {
    return {
      ...{ table: TABLE, alter: this.plan.alter, options: this.plan.options },
      connection: { ...this.lane.server.connection, ...MIGRATING, database: this.database },
    };
  }

  private application(): Application {
    const { server } = this.lane;
    const { relations } = this.plan;
    return relations === null
      ? new LedgerApplication(server, this.database, TABLE, this.plan)
      : new TwinApplication(server, this.database, this.plan, relations);
  }

  /** Runs the migration until the table is changed. */
  private async migrate(): Promise<boolean> {
    let changed = false;
    while (!changed && this.runs < MOST_RUNS) {
      this.runs += 1;
      changed = await this.attempt();
    }
    if (!changed) this.problems.push(`not changed in ${this.runs} runs: ${this.ends.join('; ')}`);
    await this.cleanUp();
    return changed;
  }

  private async attempt(): Promise<boolean> {
    const migrator = this.lane.migrator();
    const faults = this.runs === 1 ? this.plan.faults : [];
    const end = await migrator.run(this.order, LIMIT_MS, (phase) => this.onPhase(phase, faults, migrator));
    const now = end.how === 'late' ? await situation(this.lane.server) : '';
    await Promise.all(this.strikes);
    if (end.how === 'late') {
      await migrator.kill();
      this.problems.push(`stuck for ${LIMIT_MS / 1000} s; ${end.words}\n    ${now}`);
    }
    if (end.how === 'gone' && !this.struck.includes('kill process'))
      this.problems.push(`the process ended by itself; ${end.words}`);
    if (end.how === 'gone' || end.how === 'late') {
      this.ends.push(end.how);
      if (!(await this.table.forgotten())) this.problems.push('connections of a killed process stay');
    }
    const standing = await this.table.standing();
    if (end.how === 'failed') {
      this.ends.push(`${end.failure.code} in ${end.failure.phase} (${end.failure.outcome})`);
      this.problems.push(...untruths(end.failure, this.struck, standing));
    }
    if (end.how === 'done') {
      if (!standing.changed) this.problems.push('it said that it succeeded, and the table is as it was');
      if (standing.helpers.length > 0)
        this.problems.push(`left after success: ${standing.helpers.join(', ')}`);
    }
    return standing.changed;
  }

  private onPhase(phase: Phase, faults: readonly Fault[], migrator: Migrator): void {
    this.phase = phase;
    for (const fault of faults) {
      if (fault.phase !== phase) continue;
      const struck = new Promise((resolve) => setTimeout(resolve, fault.delayMs)).then(async () => {
        if (spared(this.plan, fault.kind, this.phase)) return undefined;
        const { server } = this.lane;
        const { database, order, random } = this;
        const target = {
          server,
          database,
          table: TABLE,
          migrator,
          order,
          limitMs: LIMIT_MS,
          random,
          struck: this.struck,
        };
        // Before it is over: the migration may notice at once.
        this.struck.push(fault.kind);
        if (!fault.kind.endsWith('server')) return strike(fault, target);
        // A server that is coming up cannot be stopped.
        this.downs = this.downs.then(() => strike(fault, target));
        return this.downs;
      });
      this.strikes.push(
        struck.catch((error: unknown) => this.problems.push(`${fault.kind} failed: ${String(error)}`)),
      );
    }
  }

  /** Whatever killed runs left, a clean-up takes away. */
  private async cleanUp(): Promise<void> {
    if ((await this.table.standing()).helpers.length === 0) return;
    const connection = { ...this.lane.server.connection, ...MIGRATING, database: this.database };
    const knex = createKnex({ client: 'mysql2', connection, pool: { min: 0, max: 1 } });
    try {
      await largeHadronCleanUp(TABLE, { knex });
    } finally {
      await knex.destroy();
    }
    const { helpers } = await this.table.standing();
    if (helpers.length > 0) this.problems.push(`left after the clean-up: ${helpers.join(', ')}`);
  }
}
