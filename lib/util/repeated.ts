import { clock } from './clock';

/** Does something again and again until it is stopped, never twice at once. */
export class Repeated {
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;

  /** @param run what it rejects with is nobody's concern */
  constructor(private readonly run: () => Promise<unknown>) {}

  /** @param ms between the end of one time and the next, and before the first */
  every(ms: number): void {
    if (this.stopped) return;
    this.timer = clock.setTimeout(() => {
      this.run()
        .catch(() => undefined)
        .finally(() => this.every(ms))
        .catch(() => undefined);
    }, ms);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clock.clearTimeout(this.timer);
  }
}
