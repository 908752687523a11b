import type { Knex } from 'knex';
import { Refusal } from '../errors';
import { clock } from '../util/clock';
import { WatchedPromise } from './watched-promise';

export type RawArguments = [sql: string, bindings?: readonly unknown[] | Readonly<Record<string, unknown>>];

interface Failure {
  readonly promise: WatchedPromise<unknown>;
  readonly error: unknown;
}

/**
 * The statements an alter function runs through `ctx.raw`. Users forget to await; so each one is remembered until
 * it has ended, and its failure is reported if nobody looked at its promise.
 */
export class RawStatements {
  private readonly running = new Set<WatchedPromise<unknown>>();
  private readonly failures: Failure[] = [];
  private finished = false;

  constructor(private readonly knex: Knex) {}

  /** Runs the statement at once. */
  run(...given: RawArguments): Promise<unknown> {
    // Left unhandled on purpose if nobody awaits it: the table would silently lack what the statement was to add.
    if (this.finished) return Promise.reject(tooLate(given[0]));
    const promise = new WatchedPromise<unknown>((resolve, reject) => {
      this.execute(given).then(resolve, (error: unknown) => {
        this.failures.push({ promise, error });
        reject(error);
      });
    });
    this.running.add(promise);
    void promise.ended().then(() => this.running.delete(promise));
    return promise;
  }

  /**
   * Resolves when all have ended, those included that are begun when another one ends.
   *
   * @returns the first failure that nobody looked at
   */
  async finish(): Promise<{ readonly error: unknown } | null> {
    do {
      await Promise.all([...this.running].map((promise) => promise.ended()));
      // Lets the user's code that waited for the last one go on: it may run another.
      await clock.setImmediate();
    } while (this.running.size > 0);
    this.finished = true;
    return this.failures.find(({ promise }) => !promise.handled) ?? null;
  }

  private async execute([sql, bindings]: RawArguments): Promise<unknown> {
    // Knex's raw runs when it is awaited, not before.
    return bindings === undefined
      ? await this.knex.raw(sql)
      : await this.knex.raw(sql, bindings as Knex.RawBinding[]);
  }
}

function tooLate(sql: string): Refusal {
  return new Refusal(
    'LHM_ALTER_UNSUPPORTED',
    `ctx.raw was called after the alter function had ended: ${sql}`,
    'Await everything the alter function starts, or return the promise.',
  );
}
