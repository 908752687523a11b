import {
  classify,
  DEADLOCK,
  errorCode,
  INTERRUPTED,
  LOCK_TIMEOUT,
  message,
  REPREPARE,
  STALE_VIEW,
  type ErrorClass,
} from './errors';
import { Findings, type Category } from './findings';
import { summarize, type Latencies } from './latencies';
import type { OperationKind } from './operations';
import { Rate } from './rate';

export interface SlowStatement {
  readonly sql: string;
  readonly ms: number;
  /** When it ended, since the start. */
  readonly atMs: number;
}

/** What was counted between two marks, so that the time of a migration stands beside the time without one. */
export interface PhaseReport {
  readonly name: string;
  readonly fromMs: number;
  readonly ms: number;
  readonly transactions: number;
  readonly deadlocks: number;
  readonly lockTimeouts: number;
  readonly staleViewRetries: number;
  readonly longestQueryMs: number;
  readonly probe: Latencies;
}

interface Phase {
  readonly name: string;
  readonly from: number;
  transactions: number;
  longest: number;
  readonly errors: Map<string, number>;
  readonly probe: number[];
}

/** Everything that is counted while the workload runs. */
export class Tally {
  readonly findings = new Findings();
  readonly errors = new Map<string, number>();
  readonly acknowledged = new Map<OperationKind, number>();
  readonly probe: number[] = [];
  readonly reads = { writer: 0, fresh: 0, freshRows: 0, paired: 0, pairedRows: 0, dumps: 0, dumpRows: 0 };
  readonly rate = new Rate();
  probeMax = 0;
  slowest: SlowStatement = { sql: '', ms: 0, atMs: 0 };
  /** Transactions of readers and dumps that hold a view now. */
  openViews = 0;
  lostConnections = 0;
  transactions = 0;
  #started = performance.now();
  #ended: number | null = null;
  readonly #phases: Phase[] = [];

  constructor(
    readonly lostConnectionsExpected: boolean,
    readonly missingTableExpected = false,
    readonly shutdownsExpected = false,
  ) {
    this.mark('start');
  }

  get elapsedMs(): number {
    return (this.#ended ?? performance.now()) - this.#started;
  }

  start(): void {
    this.#started = performance.now();
  }

  end(): void {
    this.#ended = performance.now();
  }

  mark(name: string): void {
    // A phase without length says nothing: a mark right at the start names the first one.
    if (this.#phases.length === 1 && this.transactions === 0) this.#phases.pop();
    const from = this.#phases.length === 0 ? 0 : this.elapsedMs;
    this.#phases.push({ name, from, transactions: 0, longest: 0, errors: new Map(), probe: [] });
  }

  get phaseName(): string {
    return this.#phase.name;
  }

  finding(category: Category, by: string, id: number | null, detail: string): void {
    this.findings.add(category, { id, by, detail, atMs: Math.round(this.elapsedMs) });
  }

  committed(kind: OperationKind): void {
    this.acknowledged.set(kind, (this.acknowledged.get(kind) ?? 0) + 1);
    this.transactions += 1;
    this.rate.count();
    this.#phase.transactions += 1;
  }

  statement(sql: string, ms: number): void {
    this.#phase.longest = Math.max(this.#phase.longest, ms);
    if (ms > this.slowest.ms) this.slowest = { sql, ms: Math.round(ms), atMs: Math.round(this.elapsedMs) };
  }

  probed(ms: number): void {
    this.probe.push(ms);
    this.probeMax = Math.max(this.probeMax, Math.round(ms));
    this.#phase.probe.push(ms);
  }

  /** Counts an error and says how the application takes it. */
  error(error: unknown, by: string): ErrorClass {
    const kind = classify(error);
    const code = errorCode(error);
    for (const errors of [this.errors, this.#phase.errors]) errors.set(code, (errors.get(code) ?? 0) + 1);
    if (kind === 'lost') this.lostConnections += 1;
    const expected =
      (kind === 'lost' && this.lostConnectionsExpected) ||
      (kind === 'missing' && this.missingTableExpected) ||
      ([INTERRUPTED, REPREPARE].includes(code) && this.shutdownsExpected);
    if (['unexpected', 'lost', 'missing'].includes(kind) && !expected) {
      this.finding('error', by, null, `${code}: ${message(error)}`);
    }
    return kind;
  }

  count(code: string): number {
    return this.errors.get(code) ?? 0;
  }

  phases(): PhaseReport[] {
    return this.#phases.map((phase, i) => ({
      name: phase.name,
      fromMs: Math.round(phase.from),
      ms: Math.round((this.#phases[i + 1]?.from ?? this.elapsedMs) - phase.from),
      transactions: phase.transactions,
      deadlocks: phase.errors.get(DEADLOCK) ?? 0,
      lockTimeouts: phase.errors.get(LOCK_TIMEOUT) ?? 0,
      staleViewRetries: phase.errors.get(STALE_VIEW) ?? 0,
      longestQueryMs: Math.round(phase.longest),
      probe: summarize(phase.probe),
    }));
  }

  get #phase(): Phase {
    return this.#phases.at(-1)!;
  }
}
