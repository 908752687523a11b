/**
 * Which rows were being changed, or have been changed, since a reader opened its view. What is left is known exactly:
 * nobody began to commit a change of it after the view was opened, so the view has to show the ledger's present state.
 */
export class Watch {
  readonly #changed = new Set<number>();

  constructor(readonly close: () => void) {}

  add(ids: Iterable<number>): void {
    for (const id of ids) this.#changed.add(id);
  }

  changed(id: number): boolean {
    return this.#changed.has(id);
  }
}
