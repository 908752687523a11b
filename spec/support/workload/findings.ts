/** Where a difference was noticed. */
export type Category = 'lost' | 'extra' | 'wrong' | 'reader' | 'dump' | 'error';

export interface Finding {
  /** The row, where it is about one. */
  readonly id: number | null;
  /** Who noticed it: a kind of transaction, a reader, the final comparison. */
  readonly by: string;
  readonly detail: string;
  /** Since the start, in ms. */
  readonly atMs: number;
}

/** A broken migration may have as many findings as the table has rows; people read the first. */
const KEPT = 1000;

export class Findings {
  readonly #kept = new Map<Category, Finding[]>();
  readonly #totals = new Map<Category, number>();
  readonly #seen = new Set<string>();

  /** The same row is reported once in a category by each who noticed it. */
  add(category: Category, finding: Finding): void {
    if (finding.id !== null) {
      const key = `${category} ${finding.by} ${finding.id}`;
      if (this.#seen.has(key)) return;
      this.#seen.add(key);
    }
    this.#totals.set(category, this.total(category) + 1);
    const kept = this.#kept.get(category) ?? [];
    if (kept.length < KEPT) kept.push(finding);
    this.#kept.set(category, kept);
  }

  list(category: Category): readonly Finding[] {
    return this.#kept.get(category) ?? [];
  }

  total(category: Category): number {
    return this.#totals.get(category) ?? 0;
  }

  get all(): number {
    return [...this.#totals.values()].reduce((sum, n) => sum + n, 0);
  }
}
