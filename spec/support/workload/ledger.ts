import { AUTO_FROM, LANE, Layout, MOVE_BY } from './layout';
import { touchedIds, type Plan } from './plan';
import { pristineRow, type Row } from './row';
import { Watch } from './watch';

/** A transaction whose COMMIT got no answer: all its rows are as before it, or all as after it. */
export interface Doubt {
  readonly by: string;
  readonly before: Map<number, Row | null>;
  readonly after: Map<number, Row | null>;
}

interface Counter {
  acknowledged: number;
  maybe: number;
}

/**
 * What every row must be.
 *
 * A change enters when its COMMIT was answered with OK, and not earlier. Rows that nobody changed are not stored:
 * they are as the layout says.
 */
export class Ledger {
  readonly doubts: Doubt[] = [];
  /** The rows written last, for the readers: a write is most easily missed right after it was acknowledged. */
  readonly recent: number[] = [];
  /** The highest id that the server has given out, be it for a row that was deleted or rolled back since. */
  highestGiven = AUTO_FROM - 1;
  #highestAcknowledged = AUTO_FROM - 1;
  readonly #rows = new Map<number, Row | null>();
  readonly #counters = new Map<number, Counter>();
  readonly #retired = new Set<number>();
  readonly #uncertain = new Set<number>();
  readonly #committing = new Set<Plan>();
  readonly #watches = new Set<Watch>();

  constructor(readonly layout: Layout) {}

  /** The row's state after everything acknowledged; `null` if there must be none. */
  expected(id: number): Row | null {
    const row = this.#rows.get(id);
    if (row !== undefined) return row;
    if (!this.layout.presentAtFirst(id)) return null;
    const v = this.#counters.get(id)?.acknowledged;
    return v === undefined ? pristineRow(id) : { ...pristineRow(id), v };
  }

  /** Increments of the row whose COMMIT got no answer. */
  maybeMore(id: number): number {
    return this.#counters.get(id)?.maybe ?? 0;
  }

  /** Whether some row once had the id. */
  used(id: number): boolean {
    return this.#rows.has(id) || this.layout.presentAtFirst(id);
  }

  /** Both states of the row are possible until the end. */
  uncertain(id: number): boolean {
    return this.#uncertain.has(id);
  }

  /** Writers leave the row alone from now on. Its state is still checked. */
  retire(ids: Iterable<number>): void {
    for (const id of ids) this.#retired.add(id);
  }

  usable(id: number): boolean {
    return !this.#retired.has(id);
  }

  /** Must be called before the statement that commits is sent: from then on others may see the change. */
  committing(plan: Plan): void {
    this.#committing.add(plan);
    for (const watch of this.#watches) watch.add(touchedIds(plan));
  }

  acknowledge(plan: Plan): void {
    this.#committing.delete(plan);
    for (const [id, row] of plan.rows) {
      this.#rows.set(id, row);
      if (this.uncertain(id)) this.#givenAgain(id, row);
    }
    this.#highestAcknowledged = Math.max(this.#highestAcknowledged, ...plan.rows.keys());
    for (const [id, by] of plan.increments) this.#counter(id).acknowledged += by;
    this.recent.push(...touchedIds(plan));
    if (this.recent.length > 256) this.recent.splice(0, this.recent.length - 128);
  }

  /** A server that died need not remember ids which it gave to transactions that never committed. */
  forgetGivenIds(): void {
    this.highestGiven = this.#highestAcknowledged;
  }

  /**
   * A server that died has given the id of a transaction without an answer to another one, which it would not have done had
   * the first been kept: the row is the second one's.
   */
  #givenAgain(id: number, row: Row | null): void {
    for (const { before, after } of this.doubts) {
      if (!after.has(id)) continue;
      before.set(id, row);
      after.set(id, row);
    }
  }

  /** It certainly did not happen. */
  forget(plan: Plan): void {
    this.#committing.delete(plan);
  }

  /** Nobody can say whether it happened. */
  doubt(plan: Plan): void {
    this.#committing.delete(plan);
    for (const [id, by] of plan.increments) this.#counter(id).maybe += by;
    if (plan.rows.size === 0) return;
    const before = new Map([...plan.rows.keys()].map((id) => [id, this.expected(id)]));
    this.doubts.push({ by: plan.kind, before, after: new Map(plan.rows) });
    this.retire(plan.rows.keys());
    for (const id of plan.rows.keys()) this.#uncertain.add(id);
  }

  /** From now on notes which rows anybody changes; all others must look to a reader as the ledger says. */
  watch(): Watch {
    const watch = new Watch(() => this.#watches.delete(watch));
    for (const plan of this.#committing) watch.add(touchedIds(plan));
    this.#watches.add(watch);
    return watch;
  }

  /** Every id in `[from, to]` at which there may be a row. */
  *idsBetween(from: number, to: number): Generator<number> {
    const { span } = this.layout;
    for (let id = Math.max(1, from); id <= Math.min(to, span); id++) yield id;
    for (let id = Math.max(1, from - MOVE_BY); id <= Math.min(to - MOVE_BY, span); id++) {
      if (Layout.laneOf(id) === LANE.moving) yield id + MOVE_BY;
    }
    if (to < AUTO_FROM) return;
    for (const id of this.#rows.keys()) if (id >= AUTO_FROM && id >= from && id <= to) yield id;
  }

  /** What the counters were raised by, in sum. */
  get increments(): Counter {
    const sum = { acknowledged: 0, maybe: 0 };
    for (const { acknowledged, maybe } of this.#counters.values()) {
      sum.acknowledged += acknowledged;
      sum.maybe += maybe;
    }
    return sum;
  }

  #counter(id: number): Counter {
    const counter = this.#counters.get(id) ?? { acknowledged: 0, maybe: 0 };
    this.#counters.set(id, counter);
    return counter;
  }
}
