import type { Phase } from '../phase';
import type { ProgressSnapshot } from './progress';
import { clock } from '../util/clock';

/** How much of the past the speed is taken from, in ms. */
const SPEED_WINDOW_MS = 10_000;

type Facts = Partial<
  Pick<
    ProgressSnapshot,
    | 'phase'
    | 'rowsCopied'
    | 'rowsEstimated'
    | 'rowsCounted'
    | 'changesApplied'
    | 'backlog'
    | 'rowsVerified'
    | 'waitingFor'
    | 'throttled'
    | 'postponed'
    | 'hook'
  >
>;

/** The one writer of a migration's progress, and how long each phase took. */
export class ProgressTracker {
  private readonly started = clock.monotonic();
  private readonly durations = new Map<Phase, number>();
  private readonly samples: { at: number; rows: number }[] = [];
  private readonly listeners = new Set<(snapshot: ProgressSnapshot) => unknown>();
  private phaseStarted = this.started;
  private backlogCounted = -Infinity;
  private facts = {
    phase: 'plan' as Phase,
    rowsCopied: 0,
    rowsEstimated: 0,
    rowsCounted: false,
    changesApplied: 0,
    backlog: 0,
    rowsVerified: 0,
    waitingFor: null as string | null,
    throttled: null as string | null,
    postponed: null as ProgressSnapshot['postponed'],
    hook: null as ProgressSnapshot['hook'],
  };

  constructor(private readonly table: string) {}

  get phase(): Phase {
    return this.facts.phase;
  }

  enter(phase: Phase): void {
    this.closePhase();
    // At the clean-up whatever waited is in the new table, or taken back.
    const backlog = phase === 'clean-up' ? { backlog: 0 } : {};
    this.update({ phase, ...backlog, waitingFor: null, throttled: null, postponed: null });
    if (phase === 'copy') this.sample(this.facts.rowsCopied);
  }

  update(facts: Facts): void {
    this.facts = { ...this.facts, ...facts };
    if (facts.rowsCopied !== undefined) this.sample(facts.rowsCopied);
    if (facts.backlog !== undefined) this.backlogCounted = clock.monotonic();
    const snapshot = this.snapshot();
    for (const listener of this.listeners) {
      try {
        // A function of the user's may be async, whatever its type says.
        const returned = listener(snapshot);
        Promise.resolve(returned).catch(() => undefined);
      } catch {
        // A listener that shows something must not be able to stop a migration.
      }
    }
  }

  /** How long ago the backlog was counted, in ms. */
  get backlogAgeMs(): number {
    return clock.monotonic() - this.backlogCounted;
  }

  listen(listener: (snapshot: ProgressSnapshot) => unknown): void {
    this.listeners.add(listener);
  }

  snapshot(): ProgressSnapshot {
    const { facts } = this;
    const rowsEstimated = Math.max(facts.rowsEstimated, facts.rowsCopied);
    const rowsPerSecond = this.speed();
    // Where there are more than was estimated, nobody knows how many more.
    const known = facts.rowsCounted || facts.rowsCopied <= facts.rowsEstimated;
    const left = rowsEstimated - facts.rowsCopied;
    return Object.freeze({
      table: this.table,
      ...facts,
      rowsEstimated,
      rowsPerSecond,
      elapsedMs: clock.monotonic() - this.started,
      etaMs: facts.phase === 'copy' && known && rowsPerSecond > 0 ? (left / rowsPerSecond) * 1000 : null,
    });
  }

  /** Milliseconds spent in each phase so far. */
  phaseDurations(): Readonly<Partial<Record<Phase, number>>> {
    this.closePhase();
    return Object.fromEntries([...this.durations].map(([phase, ms]) => [phase, Math.round(ms)]));
  }

  private closePhase(): void {
    const now = clock.monotonic();
    const { phase } = this.facts;
    this.durations.set(phase, (this.durations.get(phase) ?? 0) + now - this.phaseStarted);
    this.phaseStarted = now;
  }

  private sample(rows: number): void {
    const at = clock.monotonic();
    this.samples.push({ at, rows });
    this.forget(at);
  }

  /** The one that the window begins with stays. */
  private forget(now: number): void {
    while ((this.samples[1]?.at ?? now) <= now - SPEED_WINDOW_MS) this.samples.shift();
  }

  /** Up to now, not to the last chunk: while nothing moves, it falls. */
  private speed(): number {
    const now = clock.monotonic();
    this.forget(now);
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    if (first === undefined || last === undefined || now <= first.at) return 0;
    return Math.round(((last.rows - first.rows) * 1000) / (now - first.at));
  }
}
