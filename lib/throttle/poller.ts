import { messageOf } from '../database/server-error';
import { debugLog } from '../events/debug-log';
import { clock } from '../util/clock';
import { hold, type ThrottleSource, type Verdict } from './throttle-source';
import { unlessAborted } from './unless-aborted';

const log = debugLog('throttle');

/** How long an answer is waited for before the migration holds, in ms. */
export const ANSWER_WITHIN_MS = 3000;

/** Asks one source again and again, beside the work, and remembers what it said last. */
export class Poller {
  private verdict: Verdict | null = null;
  private answeredAt = clock.monotonic();
  private asking: Promise<void> | null = null;
  /** The source still has not settled a check that was given up. */
  private hanging = false;
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;
  /** Of the question: an answer to another one does not count. */
  private version = 0;
  private limit: AbortController | null = null;

  constructor(
    private readonly source: ThrottleSource,
    private readonly everyMs: number,
    private readonly onAbort: (reason: string) => void,
  ) {}

  /** Why the migration must hold; null when it may go on. An answer that is too old is one, too. */
  get reason(): string | null {
    const ageMs = clock.monotonic() - this.answeredAt;
    if (!this.stopped && ageMs > this.everyMs + ANSWER_WITHIN_MS + 1000)
      return `${this.source.name}, whose last answer is ${Math.round(ageMs / 1000)} s old`;
    if (this.verdict === null) return `${this.source.name}, which has not been asked yet`;
    return this.verdict.kind === 'clear' ? null : this.verdict.reason;
  }

  /** Asks now and from then on. Resolves with the first answer, which may be that there is none. */
  start(): Promise<void> {
    return this.poll();
  }

  /** Resolves when it has answered a question that was put after the call, or did not in time. */
  async refresh(): Promise<void> {
    if (this.asking !== null) await this.asking;
    await this.poll();
  }

  /** What is being asked may have changed: asks anew, without waiting for an answer to what was asked before. */
  async askAnew(): Promise<void> {
    if (this.asking !== null) {
      this.version += 1;
      this.limit?.abort();
    }
    await this.refresh();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clock.clearTimeout(this.timer);
    this.limit?.abort();
    try {
      await this.source.close?.();
    } catch (error) {
      log('%s: %s', this.source.name, messageOf(error));
    }
  }

  private poll(): Promise<void> {
    if (this.stopped) return Promise.resolve();
    if (this.timer !== null) clock.clearTimeout(this.timer);
    this.asking ??= this.ask().finally(() => {
      this.asking = null;
      if (!this.stopped) this.timer = clock.setTimeout(() => void this.poll(), this.everyMs);
    });
    return this.asking;
  }

  private async ask(): Promise<void> {
    const { version } = this;
    const verdict = await this.answer();
    if (this.stopped || version !== this.version) return;
    const before = this.reason;
    this.verdict = verdict;
    this.answeredAt = clock.monotonic();
    if (this.reason !== before) log('%s: %s', this.source.name, this.reason ?? 'clear');
    if (verdict.kind === 'abort') this.onAbort(verdict.reason);
  }

  /** Never rejects. */
  private async answer(): Promise<Verdict> {
    const { name } = this.source;
    if (this.hanging) return hold(`${name}, which does not answer`);
    const limit = new AbortController();
    this.limit = limit;
    const timer = clock.setTimeout(() => limit.abort(), ANSWER_WITHIN_MS);
    try {
      this.hanging = true;
      const check = Promise.resolve(this.source.check(limit.signal)).finally(() => (this.hanging = false));
      const verdict: unknown = await unlessAborted(check, limit.signal);
      return isVerdict(verdict) ? verdict : hold(`${name}, which returned ${shown(verdict)}`);
    } catch (error) {
      if (limit.signal.aborted) return hold(`${name}, which does not answer`);
      this.hanging = false;
      return hold(`${name}, which cannot be asked: ${messageOf(error)}`);
    } finally {
      clock.clearTimeout(timer);
    }
  }
}

/** Callers write sources, too, and not all of them with types. */
function isVerdict(value: unknown): value is Verdict {
  const { kind, reason } = (value ?? {}) as { kind?: unknown; reason?: unknown };
  return kind === 'clear' || ((kind === 'hold' || kind === 'abort') && typeof reason === 'string');
}

function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'no verdict' : String(value);
}
