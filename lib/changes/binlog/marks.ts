import { LOCK_WAIT_TIMEOUT } from '../../database/server-error';
import { clock } from '../../util/clock';

/** Not all of the log has been read; counts as a lock wait timeout, after which the attempt is made again. */
export class NotThereYet extends Error {
  readonly errno = LOCK_WAIT_TIMEOUT;
}

interface Waiter {
  readonly mark: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Which of our own marks have come back in the stream, and who waits for one. */
export class Marks {
  private last = 0;
  private reached = 0;
  private ended: Error | null = null;
  private readonly waiters = new Set<Waiter>();

  next(): number {
    this.last += 1;
    return this.last;
  }

  /** Everything before the mark has been dealt with. An older one changes nothing. */
  reach(mark: number): void {
    this.reached = Math.max(this.reached, mark);
    for (const waiter of this.waiters) if (waiter.mark <= this.reached) waiter.resolve();
  }

  get over(): boolean {
    return this.ended !== null;
  }

  /** @throws what the reading ended with */
  check(): void {
    if (this.ended !== null) throw this.ended;
  }

  /** No mark will come any more. */
  end(error: Error): void {
    this.ended ??= error;
    for (const waiter of this.waiters) waiter.reject(this.ended);
  }

  /**
   * Resolves when the mark has come back.
   *
   * @throws NotThereYet after `withinMs`; what the reading ended with
   */
  async wait(mark: number, withinMs?: number): Promise<void> {
    if (this.reached >= mark) return;
    if (this.ended !== null) throw this.ended;
    const added: { timer?: NodeJS.Timeout; waiter?: Waiter } = {};
    try {
      await new Promise<void>((resolve, reject) => {
        added.waiter = { mark, resolve, reject };
        this.waiters.add(added.waiter);
        if (withinMs === undefined) return;
        const late = `the binary log was not read to its end within ${Math.round(withinMs)} ms`;
        added.timer = clock.setTimeout(() => reject(new NotThereYet(late)), withinMs);
      });
    } finally {
      if (added.timer !== undefined) clock.clearTimeout(added.timer);
      if (added.waiter !== undefined) this.waiters.delete(added.waiter);
    }
  }
}
