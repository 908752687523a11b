import { LOCK_WAIT_TIMEOUT } from '../../database/server-error';
import { Refusal } from '../../errors';
import { clock } from '../../util/clock';
import { MarkOrder } from './mark-order';

/** Not all of the log has been read; counts as a lock wait timeout, after which the attempt is made again. */
export class NotThereYet extends Error {
  readonly errno = LOCK_WAIT_TIMEOUT;
}

/** A mark that is not back by then is late, in ms. */
const LATE_MS = 2000;

/** @throws NotThereYet while there are changes that are not in the journal */
export function refuseUnwritten(inDoubt: number, waiting: boolean): void {
  if (inDoubt > 0)
    throw new NotThereYet(
      `${inDoubt} transactions are not over: they wait for XA COMMIT or ROLLBACK (see XA RECOVER), or were logged before they are done`,
    );
  if (waiting) throw new NotThereYet('changes came that are not written down yet');
}

/**
 * @throws NotThereYet when it takes longer; without `withinMs` it may take as long as it likes
 * @throws the signal's reason, some time after it
 */
export async function inTime<T>(written: Promise<T>, withinMs?: number, signal?: AbortSignal): Promise<T> {
  const timers: NodeJS.Timeout[] = [];
  const over = new AbortController();
  const limit = new Promise<never>((_, reject) => {
    const after = (ms: number, error: () => Error): void => {
      timers.push(clock.setTimeout(() => reject(error()), ms));
    };
    if (withinMs !== undefined)
      after(withinMs, () => new NotThereYet(`the server did not answer within ${Math.round(withinMs)} ms`));
    const stop = (): void => after(LATE_MS, () => signal?.reason as Error);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true, signal: over.signal });
  });
  return Promise.race([written, limit]).finally(() => {
    over.abort();
    for (const timer of timers) clock.clearTimeout(timer);
  });
}

/** What a wait may be ended by, and who is told about it. */
export interface Patience {
  readonly signal?: AbortSignal;
  /** Told again and again while it lasts, and when it is over. */
  readonly late?: (late: boolean) => void;
}

interface Waiter {
  readonly mark: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Which of our own marks have come back in the stream, and who waits for one. */
export class Marks {
  readonly order = new MarkOrder();
  private last = 0;
  private reached = 0;
  private ended: Error | null = null;
  private readonly waiters = new Set<Waiter>();

  /** Whatever is read from now on begins behind those that were written so far, or among them. */
  beginReading(): void {
    this.order.beginAfter(this.last);
  }

  next(): number {
    this.last += 1;
    return this.last;
  }

  /** Everything before the mark has been dealt with. An older one changes nothing. */
  reach(mark: number): void {
    this.reached = Math.max(this.reached, mark);
    for (const waiter of this.waiters) if (waiter.mark <= this.reached) waiter.resolve();
  }

  /** The last that has come back. */
  get seen(): number {
    return this.reached;
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

  /** No mark counts any more, when that is why; anything else may pass. */
  refuse(error: unknown): void {
    if (error instanceof Refusal) this.end(error);
  }

  /**
   * Resolves when the mark has come back.
   *
   * @throws NotThereYet after `withinMs`; what the reading ended with; the signal's reason, some time after it
   */
  async wait(mark: number, withinMs?: number, { signal, late }: Patience = {}): Promise<void> {
    if (this.reached >= mark) return;
    if (this.ended !== null) throw this.ended;
    const added: { timer?: NodeJS.Timeout; waiter?: Waiter } = {};
    const told = { late: false };
    const look = clock.setInterval(() => {
      told.late = true;
      late?.(true);
    }, LATE_MS);
    let stopping: NodeJS.Timeout | undefined;
    const stop = (): void => {
      stopping = clock.setTimeout(() => added.waiter?.reject(signal?.reason as Error), LATE_MS);
    };
    try {
      await new Promise<void>((resolve, reject) => {
        added.waiter = { mark, resolve, reject };
        this.waiters.add(added.waiter);
        if (signal?.aborted === true) stop();
        else signal?.addEventListener('abort', stop, { once: true });
        if (withinMs === undefined) return;
        const late = `the binary log was not read to its end within ${Math.round(withinMs)} ms`;
        added.timer = clock.setTimeout(() => reject(new NotThereYet(late)), withinMs);
      });
    } finally {
      if (added.timer !== undefined) clock.clearTimeout(added.timer);
      if (stopping !== undefined) clock.clearTimeout(stopping);
      signal?.removeEventListener('abort', stop);
      clock.clearInterval(look);
      if (told.late) late?.(false);
      if (added.waiter !== undefined) this.waiters.delete(added.waiter);
    }
  }
}
