import type { LiveSettings } from '../../options/live-settings';
import type { PolledSession } from '../polled-session';
import { CLEAR, hold, type ThrottleSource, type Verdict } from '../throttle-source';

/** The caller's SQL on the migrated server: a number above 0 holds, and anything that is no number. */
export class Query implements ThrottleSource {
  readonly name = 'throttle.query';

  constructor(
    private readonly session: PolledSession,
    private readonly settings: LiveSettings,
  ) {}

  async check(signal: AbortSignal): Promise<Verdict> {
    const { query } = this.settings.throttle;
    if (query === false) return CLEAR;
    const [row] = await this.session.query<Record<string, unknown>>(query, signal);
    const value = Object.values(row ?? {})[0] ?? null;
    if (value === null) return hold(`${this.name}, which returned ${row === undefined ? 'no row' : 'NULL'}`);
    const number = Number(value);
    if (number <= 0) return CLEAR;
    return hold(`${this.name}, which returned ${Number.isNaN(number) ? 'no number' : number}`);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
