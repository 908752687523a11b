import type { Heartbeat } from '../changes/change-source';
import type { Database } from '../database/database';
import { Refusal } from '../errors';
import { clock } from '../util/clock';
import type { LiveSettings } from '../options/live-settings';
import { Poller } from './poller';
import { ownSources } from './own-sources';
import { Replicas } from './replicas';
import { ChunkLatency } from './sources/chunk-latency';
import type { ThrottleSource } from './throttle-source';

/** How long the writers that were held back by an attempt at the swap may take to be done, in ms. */
const AFTERMATH_MS = 2000;

/** Whether the migration must make way for somebody: the operator, or one of the sources, each asked beside the work. */
export class Throttler {
  private readonly pollers: Poller[] = [];
  private readonly replicas: Replicas;
  private readonly chunks: ChunkLatency;
  private operator: string | null = null;
  private stopped = false;
  private closing: Promise<unknown> | null = null;
  private deafUntil = -Infinity;

  constructor(
    private readonly settings: LiveSettings,
    /** Stops the migration. */
    private readonly stopMigration: (reason: Refusal) => void,
  ) {
    this.chunks = new ChunkLatency(settings);
    this.replicas = new Replicas(settings, (source) => this.poller(source));
  }

  /**
   * Begins to ask; resolves when each has answered once, or did not in time.
   *
   * @throws Refusal when something that was asked for cannot be watched
   */
  async open(database: Database): Promise<void> {
    await this.replicas.open();
    for (const source of await ownSources(database, this.settings)) this.pollers.push(this.poller(source));
    await Promise.all(this.all().map((poller) => poller.start()));
    this.settings.listen(() => {
      if (this.stopped) return;
      this.replicas.follow();
      for (const poller of this.all()) void poller.askAnew();
    });
  }

  /** Why the migration must hold, in words; null when it may go on. */
  reason(): string | null {
    if (this.stopped) return null;
    if (this.operator !== null) return this.operator;
    for (const poller of this.all()) {
      const { reason } = poller;
      if (reason !== null) return reason;
    }
    return this.chunks.reason;
  }

  /** Resolves when all have answered a question that was put after the call, or did not in time. */
  async refresh(): Promise<void> {
    await Promise.all(this.all().map((poller) => poller.refresh()));
  }

  /** Lets the lag of replicas be read off it, where they show it. */
  useHeartbeat(heartbeat: Heartbeat | null): void {
    this.replicas.heartbeat = heartbeat;
  }

  /**
   * Runs an attempt at the swap, which holds writers back and so drives the load up itself: it is no reason to stop the
   * migration meanwhile.
   */
  async notMeanwhile<T>(attempt: () => Promise<T>): Promise<T> {
    this.deafUntil = Infinity;
    try {
      return await attempt();
    } finally {
      this.deafUntil = clock.monotonic() + AFTERMATH_MS;
    }
  }

  /** How long a step of the copy took. */
  chunkTook(ms: number): void {
    this.chunks.took(ms);
  }

  /** Holds until `continue`. */
  pause(reason: string): void {
    this.operator = reason;
  }

  continue(): void {
    this.operator = null;
  }

  /** Nobody has to be made way for any more. Never rejects. */
  close(): Promise<void> {
    this.stopped = true;
    this.closing ??= Promise.all([...this.pollers.map((poller) => poller.stop()), this.replicas.close()]);
    return this.closing.then(() => undefined);
  }

  private all(): readonly Poller[] {
    return [...this.replicas.pollers, ...this.pollers];
  }

  private poller(source: ThrottleSource): Poller {
    return new Poller(source, source.intervalMs ?? this.settings.throttle.intervalMs, (reason) => {
      if (this.stopped || clock.monotonic() < this.deafUntil) return;
      this.stopMigration(
        new Refusal(
          'LHM_CRITICAL_LOAD',
          `The migration was stopped for the sake of the application: ${reason}.`,
          'Run the migration again when it suits, or let it hold instead (throttle.criticalLoadHibernateMs).',
        ),
      );
    });
  }
}
