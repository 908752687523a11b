import { debugLog } from '../events/debug-log';
import { LockWatch, type Holding } from '../database/lock-watch';
import { messageOf } from '../database/server-error';
import type { CutOverDeps } from './cut-over-deps';

const log = debugLog('cut-over');

/** A connection that was ended because it held the table for longer than the patience. */
export interface Killed {
  readonly connection: number;
  readonly user: string;
  /** For how long it had been seen to hold the table, in ms. */
  readonly heldMs: number;
}

/**
 * `cutOver.killBlockers`: ends the connections that stand in the lock's way. Only those that were seen to hold one and the
 * same lock for longer than an attempt waits; never the server's own, replication's, or a prepared XA transaction's, which
 * would stay without its connection.
 */
export class BlockerKiller {
  private readonly watch: LockWatch;
  private readonly done: Killed[] = [];

  constructor(private readonly deps: CutOverDeps) {
    const { observer, database, pair } = deps;
    this.watch = new LockWatch(observer, database.server, { schema: pair.schema, table: pair.origin.table });
  }

  get killed(): readonly Killed[] {
    return this.done;
  }

  /** @returns who holds the table and is left alone: for now, for being young, or for good */
  async run(): Promise<readonly Holding[]> {
    const { observer, database, options } = this.deps;
    const left: Holding[] = [];
    for (const holding of (await this.watch.look(database.connections)) ?? []) {
      const { connection, user, heldMs, spared } = holding;
      if (heldMs < options.cutOver.lockTimeoutMs || spared !== null) {
        left.push(holding);
        continue;
      }
      try {
        await observer.execute(`KILL ${connection}`);
        log('connection %d of %s was killed: it had held the table for %d ms', connection, user, heldMs);
        this.done.push({ connection, user, heldMs: Math.round(heldMs) });
      } catch (error) {
        if (observer.lost) throw error;
        log('connection %d could not be killed: %s', connection, messageOf(error));
        left.push({ ...holding, spared: messageOf(error) });
      }
    }
    return left;
  }
}
