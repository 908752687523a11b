/** Runs what it is given one after the other, in the order in which it came, whatever becomes of those before. */
export class OneByOne {
  private last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as the work does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => undefined);
    return done;
  }
}
