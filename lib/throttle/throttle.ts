import type { Knex } from 'knex';
import { ReplicaWatch } from './replica-watch';

/** Whether the migration must hold for the sake of others. */
export class Throttle {
  private readonly watches: ReplicaWatch[] = [];

  /** @throws Refusal when one of them cannot be watched */
  async open(replicas: readonly Knex[]): Promise<void> {
    for (const [ordinal, knex] of replicas.entries()) {
      this.watches.push(await ReplicaWatch.open(knex, ordinal));
    }
  }

  /**
   * Why, in words; null when it may go on.
   *
   * @param maxAgeMs how old what is known may be. Default: a second
   */
  async reason(maxAgeMs?: number): Promise<string | null> {
    for (const watch of this.watches) {
      const reason = await watch.check(maxAgeMs);
      if (reason !== null) return reason;
    }
    return null;
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await Promise.all(this.watches.map((watch) => watch.close()));
  }
}
