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
    const [rows, columns] = await this.session.raw(query, signal);
    if (!Array.isArray(rows)) {
      // It may have been LOCK TABLES or BEGIN, and the application would wait for as long as we hold that.
      await this.session.letGo();
      return hold(`${this.name}, which returned no rows but changes something`);
    }
    const names = (columns as readonly { readonly name: string }[]).map(({ name }) => name);
    const [first = ''] = names;
    // Of two of one name, the driver keeps the last.
    if (names.lastIndexOf(first) > 0) return hold(`${this.name}, which returned two columns '${first}'`);
    const row = (rows as Record<string, unknown>[])[0];
    const value = row?.[first] ?? null;
    if (value === null) return hold(`${this.name}, which returned ${row === undefined ? 'no row' : 'NULL'}`);
    const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value);
    if (number <= 0) return CLEAR;
    return hold(`${this.name}, which returned ${Number.isNaN(number) ? 'no number' : number}`);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
