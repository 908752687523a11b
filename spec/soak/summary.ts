import type { Flavor } from '../support/servers';
import type { CycleResult } from './cycle';

/** Adds up what cycles did, and says it. */
export class Summary {
  private readonly counts = new Map<string, number>();
  private readonly wrong: string[] = [];

  constructor(private readonly seed: number) {}

  /** @returns whether something was wrong */
  add(flavor: Flavor, number: number, result: CycleResult): boolean {
    const { plan, runs, changed, struck, ends, verdict, problems } = result;
    this.count(`${flavor}: tables`);
    this.count(`${flavor}: runs`, runs);
    if (changed) this.count(`${flavor}: migrated`);
    if (plan.relations?.layout != null) this.count(`${flavor}: tables with foreign keys`);
    if (plan.relations?.triggers === true) this.count(`${flavor}: tables with triggers`);
    this.count(`${flavor}: transactions`, verdict?.transactions ?? 0);
    this.count(`${flavor}: rows compared`, verdict?.rows ?? 0);
    for (const kind of struck) this.count(`fault: ${kind}`);
    for (const end of ends) this.count(`run ended otherwise: ${end}`);
    const head = `cycle ${number} on ${flavor}, --seed ${this.seed} --cycle ${number} --server ${flavor}`;
    for (const problem of problems) this.wrong.push(`${head}: ${problem}\n    ${JSON.stringify(plan)}`);
    return problems.length > 0;
  }

  get failed(): boolean {
    return this.wrong.length > 0;
  }

  toString(): string {
    const lines = [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, n]) => `${what}: ${n}`);
    const found =
      this.wrong.length === 0 ? ['nothing was found'] : [`${this.wrong.length} FOUND:`, ...this.wrong];
    return [`seed ${this.seed}`, ...lines, ...found].join('\n');
  }

  private count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }
}
