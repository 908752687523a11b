import type { LiveSettings } from '../../options/live-settings';
import { clock } from '../../util/clock';

/** Longest rest after one chunk, in ms: without a chunk now and then nobody would notice that the server is well again. */
const MOST_REST_MS = 30_000;

/**
 * A server on which the migration's own chunks take long is no better for the application. Asks nobody, so it is not
 * polled.
 */
export class ChunkLatency {
  private until = -Infinity;
  private said = '';

  constructor(private readonly settings: LiveSettings) {}

  took(ms: number): void {
    const { maxChunkMs } = this.settings.throttle;
    if (maxChunkMs === false || ms <= maxChunkMs) return;
    this.until = clock.monotonic() + Math.min(ms, MOST_REST_MS);
    this.said = `the last chunk, which took ${Math.round(ms)} ms (throttle.maxChunkMs is ${maxChunkMs})`;
  }

  get reason(): string | null {
    return clock.monotonic() < this.until && this.settings.throttle.maxChunkMs !== false ? this.said : null;
  }
}
