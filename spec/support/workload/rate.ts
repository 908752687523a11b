const SLOT_MS = 100;
const SLOTS = 10;

/** How many a second, over the last full second. */
export class Rate {
  readonly #slots = new Map<number, number>();

  constructor(readonly now: () => number = () => performance.now()) {}

  count(): void {
    const slot = Math.floor(this.now() / SLOT_MS);
    this.#slots.set(slot, (this.#slots.get(slot) ?? 0) + 1);
    if (this.#slots.size > 2 * SLOTS)
      for (const old of this.#slots.keys()) if (old < slot - SLOTS) this.#slots.delete(old);
  }

  perSecond(): number {
    const current = Math.floor(this.now() / SLOT_MS);
    let sum = 0;
    // The present slot has only just begun.
    for (let slot = current - SLOTS; slot < current; slot++) sum += this.#slots.get(slot) ?? 0;
    return sum;
  }
}
