/** Tells all clients to finish: no new transaction is begun, and every pause ends at once. */
export class Stopper {
  #stoppedAt: number | null = null;
  readonly #sleepers = new Set<() => void>();

  get stopped(): boolean {
    return this.#stoppedAt !== null;
  }

  /** How long ago, in ms. */
  get stoppedFor(): number {
    return this.#stoppedAt === null ? 0 : performance.now() - this.#stoppedAt;
  }

  stop(): void {
    this.#stoppedAt ??= performance.now();
    for (const wake of this.#sleepers) wake();
  }

  async sleep(ms: number): Promise<void> {
    if (this.stopped || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#sleepers.add(wake);
    });
  }
}
