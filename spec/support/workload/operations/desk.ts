import type { Layout } from '../layout';
import type { Ledger } from '../ledger';
import type { KeyKind } from '../options';
import type { Random } from '../random';
import type { Row } from '../row';
import type { Statements } from '../statements';
import { newContent } from '../content';

/** What one writer plans its transactions with. */
export class Desk {
  /** Rows of its own whose ids the server chose. */
  readonly autoIds: number[] = [];
  #changes = 0;

  constructor(
    readonly writer: number,
    readonly key: KeyKind,
    readonly random: Random,
    readonly layout: Layout,
    readonly ledger: Ledger,
    readonly sql: Statements,
  ) {}

  /** New values for everything that says nothing by itself, with a version that no row of this writer ever had. */
  content(): Pick<Row, 'version' | 'name' | 'amount' | 'happened_at' | 'doc' | 'note'> {
    this.#changes += 1;
    return { version: this.#changes, ...newContent(this.random, `w${this.writer}.${this.#changes}`) };
  }

  /** A number that this writer uses once. */
  serial(): number {
    this.#changes += 1;
    return this.#changes;
  }

  /** One of its rows in a lane that is there now. */
  present(lane: number): Row | null {
    for (let i = 0; i < 6; i++) {
      const id = this.layout.own(lane, this.writer, this.random);
      const row = this.ledger.usable(id) ? this.ledger.expected(id) : null;
      if (row !== null) return row;
    }
    return null;
  }
}
