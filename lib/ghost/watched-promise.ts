/**
 * A promise that knows whether somebody looks at its failure. One whose failure nobody looks at does not end the
 * process: its owner asks `handled` and reports the failure itself.
 */
export class WatchedPromise<T> extends Promise<T> {
  private isHandled = false;
  /** Who is told that the failure is looked at: the promise this one passes on. */
  private source: WatchedPromise<unknown> | null = null;

  /** Whether somebody awaits it, or catches what it or a promise made of it by `then` rejects with. */
  get handled(): boolean {
    return this.isHandled;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const next = super.then(onFulfilled, onRejected);
    if (onRejected) this.markHandled();
    else if (next instanceof WatchedPromise) {
      next.source = this;
      // A step that only passes the failure on: the owner of the first promise reports it.
      void next.ended();
    }
    return next;
  }

  /** Calls back when it has ended, without counting as somebody who looks. Never rejects. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      super.then(
        () => resolve(),
        () => resolve(),
      );
    });
  }

  private markHandled(): void {
    this.isHandled = true;
    this.source?.markHandled();
  }
}
