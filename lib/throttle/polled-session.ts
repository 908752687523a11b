import type { Database } from '../database/database';
import type { Session } from '../database/session';
import { OneByOne } from '../util/one-by-one';
import { ANSWER_WITHIN_MS } from './poller';
import { unlessAborted } from './unless-aborted';

/** How long after nobody waits for an answer any more the server gives up what it was asked, in ms. */
const ENDED_AFTER_MS = 1000;

/** A connection of a source's own, made when it is first needed and made anew when it was lost or does not answer. */
export class PolledSession {
  private session: Session | null = null;
  private usable = false;
  private ended = false;
  private readonly turns = new OneByOne();

  constructor(
    private readonly database: Database,
    private readonly role: string,
  ) {}

  /** Rejects when the signal is aborted; the server gives the statement up by itself. */
  async query<R>(sql: string, signal: AbortSignal): Promise<R[]> {
    const [rows] = await this.raw(sql, signal);
    return rows as R[];
  }

  /** As `query`, with what the driver says of the columns. */
  raw(sql: string, signal: AbortSignal): Promise<[unknown, unknown]> {
    // One after another: two that find the connection lost must not both make a new one.
    return unlessAborted(
      this.turns.run(() => this.run(sql, signal)),
      signal,
    );
  }

  /** Whatever it holds on the server, it lets go of; the next question makes it anew. */
  async letGo(): Promise<void> {
    await this.giveUp();
  }

  /** The connection itself. */
  async open(): Promise<Session> {
    const { database } = this;
    if (this.session === null) this.session = await database.open(this.role);
    else if (!this.usable || this.session.lost) await database.reopen(this.session);
    else return this.session;
    if (this.ended) await this.session.close();
    const { flavor, statementTimeoutVariable } = database.server;
    const mostMs = ANSWER_WITHIN_MS + ENDED_AFTER_MS;
    const most = flavor === 'mariadb' ? mostMs / 1000 : mostMs;
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

  private async run(sql: string, signal: AbortSignal): Promise<[unknown, unknown]> {
    const session = await this.open();
    // Nobody would look at what comes of it, nor let go of what it holds.
    signal.throwIfAborted();
    const giveUp = (): void => void this.giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      // A connection that is cut leaves its statements without an answer.
      return await unlessAborted(session.raw(sql), signal);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }
}
