import { clock } from '../util/clock';

/** The application may be kept waiting for one part in so many of the time, from the first attempt to the end of any. */
const ONE_IN = 10;

/** How long attempts that failed have kept the application waiting. */
export class BlockedTime {
  private since = Infinity;
  private totalMs = 0;
  private lastMs = 0;

  /** @param startedAt on the monotonic clock, in ms */
  add(startedAt: number, tookMs: number): void {
    this.since = Math.min(this.since, startedAt);
    this.totalMs += tookMs;
    this.lastMs = tookMs;
  }

  /** What has to go by before the next attempt, which may take as long as the last one, in ms. */
  pauseMs(now = clock.monotonic()): number {
    if (this.totalMs === 0) return 0;
    return Math.max(0, ONE_IN * (this.totalMs + this.lastMs) - this.lastMs - (now - this.since));
  }
}
