/** How many rows the next chunk has: a fixed number, or as many as should take the target time. */
export class ChunkSizer {
  private rows: number;

  constructor(
    private readonly limits: {
      readonly rows: number | false;
      readonly targetMs: number;
      readonly rowsMin: number;
      readonly rowsMax: number;
    },
  ) {
    const first = limits.rows === false ? Math.min(1000, limits.rowsMax) : limits.rows;
    this.rows = Math.max(first, limits.rows === false ? limits.rowsMin : 1);
  }

  get size(): number {
    return this.rows;
  }

  /**
   * Learns from a chunk; grows at most threefold at once, because the first chunks are read from a cold cache. A fixed
   * size is come back to in the same steps after it had to be shrunk.
   */
  took(rows: number, ms: number): void {
    const { rows: fixed, targetMs, rowsMin, rowsMax } = this.limits;
    if (fixed !== false) {
      this.rows = Math.min(fixed, this.rows * 3);
      return;
    }
    if (rows === 0) return;
    const wanted = (rows * targetMs) / Math.max(ms, 1);
    this.rows = Math.round(Math.max(rowsMin, Math.min(rowsMax, wanted, this.rows * 3)));
  }

  /** After a chunk that failed for its size or for what it collided with; false when it cannot get smaller. */
  shrink(): boolean {
    if (this.rows <= 1) return false;
    this.rows = Math.max(1, Math.floor(this.rows / 4));
    return true;
  }
}
