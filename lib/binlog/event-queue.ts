/** Events that came and were not taken yet. Bounded by their bytes: whoever fills it is told to stop, and to go on. */
export class EventQueue {
  private events: Buffer[] = [];
  private next = 0;
  private bytes = 0;
  private full = false;
  private failure: Error | null = null;
  private closed = false;
  private wake: (() => void) | null = null;

  /**
   * @param mostBytes one more event is always taken
   * @param flow.stop called when it is full
   * @param flow.resume called when half of it is free again
   */
  constructor(
    private readonly mostBytes: number,
    private readonly flow: { stop(): void; resume(): void },
  ) {}

  push(event: Buffer): void {
    if (this.closed || this.failure !== null) return;
    this.events.push(event);
    this.bytes += event.length;
    if (!this.full && this.bytes >= this.mostBytes) {
      this.full = true;
      this.flow.stop();
    }
    this.rouse();
  }

  shift(): Buffer | undefined {
    const event = this.events[this.next];
    if (event === undefined) return undefined;
    this.next++;
    if (this.next === this.events.length) {
      this.events = [];
      this.next = 0;
    } else if (this.next >= 1024) {
      this.events = this.events.slice(this.next);
      this.next = 0;
    }
    this.bytes -= event.length;
    if (this.full && this.bytes <= this.mostBytes / 2) {
      this.full = false;
      this.flow.resume();
    }
    return event;
  }

  /** Whether the one who fills it has been told to stop. */
  get stopped(): boolean {
    return this.full;
  }

  /** Nothing more will come. What came before can still be taken. */
  fail(error: Error): void {
    this.failure ??= error;
    this.rouse();
  }

  /** Nothing more is wanted. */
  close(): void {
    this.closed = true;
    this.events = [];
    this.next = 0;
    this.rouse();
  }

  /** Resolves with true once there is something to take, with false when it was closed; rejects with what failed. */
  async wait(): Promise<boolean> {
    while (!this.closed && this.next === this.events.length) {
      if (this.failure !== null) throw this.failure;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    return !this.closed;
  }

  private rouse(): void {
    this.wake?.();
    this.wake = null;
  }
}
