import type { Database } from '../database/database';
import type { Session } from '../database/session';
import { ANSWER_WITHIN_MS } from './poller';
import { unlessAborted } from './unless-aborted';

/** A connection of a source's own, made when it is first needed and made anew when it was lost or does not answer. */
export class PolledSession {
  private session: Session | null = null;
  private usable = false;
  private ended = false;

  constructor(
    private readonly database: Database,
    private readonly role: string,
  ) {}

  /** Rejects when the signal is aborted; the server gives the statement up by itself. */
  async query<R>(sql: string, signal: AbortSignal): Promise<R[]> {
    return unlessAborted(this.run<R>(sql, signal), signal);
  }

  /** The connection itself. */
  async open(): Promise<Session> {
    const { database } = this;
    if (this.session === null) this.session = await database.open(this.role);
    else if (!this.usable || this.session.lost) await database.reopen(this.session);
    else return this.session;
    if (this.ended) await this.session.close();
    const { flavor, statementTimeoutVariable } = database.server;
    const most = flavor === 'mariadb' ? ANSWER_WITHIN_MS / 1000 : ANSWER_WITHIN_MS;
    await this.session.execute(`SET SESSION ${statementTimeoutVariable} = ${most}`);
    this.usable = true;
    return this.session;
  }

  /** For good, also where it is being opened just now. Never rejects. */
  async close(): Promise<void> {
    this.ended = true;
    await this.giveUp();
  }

  private async giveUp(): Promise<void> {
    this.usable = false;
    await this.session?.close();
  }

  private async run<R>(sql: string, signal: AbortSignal): Promise<R[]> {
    const session = await this.open();
    const giveUp = (): void => void this.giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await session.query<R>(sql);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }
}
