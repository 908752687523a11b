import type { Connection, QueryError } from 'mysql2';
import type { Query } from '../support/test-table-statements';
import type { Between } from './steps';

export interface Acts {
  /** Runs a statement of the application; never waits for the library. */
  readonly run: (connection: number, dml: Extract<Between, { dml: unknown }>['dml']) => Promise<void>;
  readonly kill: (connection: number) => Promise<unknown>;
}

/** Puts the application's statements between two of the library's, and takes its connections away. */
export class Interleaver {
  private acts: Acts | null = null;
  private waiting: Between[] = [];
  private passed = 0;
  /** Connections that hold LOCK TABLES: the application would wait for the whole step. */
  private readonly locking = new Set<Connection>();
  private failure: Error | null = null;
  /** Statements are sent one after the other, whatever connection they are for: so is the application. */
  private turn: Promise<void> = Promise.resolve();
  /** Connections that were taken away. */
  lost = 0;

  /** For one step of the pipeline. */
  arm(acts: Acts, between: readonly Between[]): void {
    this.acts = acts;
    this.waiting = [...between].sort((a, b) => a.at - b.at);
    this.passed = 0;
  }

  /** @throws what went wrong between two statements, which the library must not be told */
  async disarm(): Promise<void> {
    await this.turn;
    this.acts = null;
    this.waiting = [];
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
  }

  readonly around = (query: Query, connection: Connection): Query => {
    return (sql, values, callback) => {
      const due = this.due();
      const { acts } = this;
      this.turn = this.turn.then(async () => {
        const lose = await this.before(due, acts, connection);
        if (/^LOCK TABLES/.test(sql)) this.locking.add(connection);
        query(sql, values, (error, ...rest) => {
          const fatal = error?.fatal === true;
          if (fatal || /^UNLOCK TABLES/.test(sql) || (error !== null && /^LOCK TABLES/.test(sql)))
            this.locking.delete(connection);
          if (lose !== 'after') {
            callback(error, ...rest);
            return;
          }
          this.locking.delete(connection);
          void this.lose(acts, connection).then(() => callback(connectionLost()));
        });
      });
    };
  };

  private due(): Between[] {
    const here = this.passed++;
    const due = this.waiting.filter(({ at }) => at <= here);
    this.waiting = this.waiting.filter(({ at }) => at > here);
    return due;
  }

  private async before(
    due: readonly Between[],
    acts: Acts | null,
    connection: Connection,
  ): Promise<'after' | null> {
    let lose: 'after' | null = null;
    for (const act of due) {
      if ('lose' in act) {
        if (act.lose === 'after') lose = 'after';
        else await this.lose(acts, connection);
      } else if (this.locking.size === 0) {
        await acts?.run(act.connection, act.dml).catch((error: unknown) => {
          this.failure ??= error as Error;
        });
      }
    }
    return lose;
  }

  private async lose(acts: Acts | null, connection: Connection): Promise<void> {
    this.locking.delete(connection);
    this.lost += 1;
    await acts?.kill(connection.threadId);
  }
}

function connectionLost(): QueryError {
  const message = 'Connection lost: The server closed the connection.';
  return Object.assign(new Error(message), { fatal: true, code: 'PROTOCOL_CONNECTION_LOST' });
}
