/** Chunks of the largest size that was not too large for the server, before a larger one is tried again. */
const GOOD_CHUNKS = 20;

export interface ChunkLimits {
  readonly rows: number | false;
  readonly targetMs: number;
  readonly rowsMin: number;
  readonly rowsMax: number;
}

/** How many rows the next chunk has: a fixed number, or as many as should take the target time. */
export class ChunkSizer {
  private rows: number;
  private ceiling = Infinity;
  private fixed: number | false;
  private good = 0;

  constructor(
    /** Asked each time: they may change while the copy runs. */
    private readonly limits: () => ChunkLimits,
  ) {
    const { rows, rowsMin, rowsMax } = limits();
    this.fixed = rows;
    this.rows = rows === false ? Math.max(Math.min(1000, rowsMax), rowsMin) : rows;
  }

  get size(): number {
    const { rows: fixed } = this.limits();
    // Another fixed size is taken at once, but what was too large for the server stays so.
    if (fixed !== this.fixed && fixed !== false) this.rows = Math.min(fixed, this.ceiling);
    this.fixed = fixed;
    return this.rows;
  }

  /**
   * Learns from a chunk; grows at most threefold at once, because the first chunks are read from a cold cache. A fixed
   * size is come back to in the same steps after it had to be shrunk.
   */
  took(rows: number, ms: number): void {
    const { rows: fixed, targetMs, rowsMin, rowsMax } = this.limits();
    if (++this.good >= GOOD_CHUNKS) {
      this.ceiling *= 3;
      this.good = 0;
    }
    if (fixed !== false) {
      this.rows = Math.min(fixed, this.rows * 3, this.ceiling);
      return;
    }
    if (rows === 0) return;
    const wanted = (rows * targetMs) / Math.max(ms, 1);
    const timely = Math.round(Math.max(rowsMin, Math.min(rowsMax, wanted, this.rows * 3)));
    this.rows = Math.min(timely, this.ceiling);
  }

  /**
   * After a chunk that failed for what it collided with, or (`tooLarge`) for its size, which is then not come back to soon.
   *
   * @returns false when it cannot get smaller
   */
  shrink(tooLarge = false): boolean {
    if (this.rows <= 1) return false;
    this.rows = Math.max(1, Math.floor(this.rows / 4));
    if (tooLarge) this.ceiling = this.rows;
    this.good = 0;
    return true;
  }
}
