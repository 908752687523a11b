import { liveLock } from '../database/metadata-locks';
import { qualified } from '../database/sql';
import { unlockTables } from '../database/unlock-tables';
import type { CutOverDeps, SwapStrategy } from './cut-over-deps';
import { halfSwapped } from './half-swapped';
import { giveNameBack } from './settle-swap';

/**
 * gh-ost's non-atomic swap: the connection that holds the lock renames the tables one after the other, which every
 * server can. In between nothing bears the table's name: whoever waits for it, or comes just then, gets error 1146.
 *
 * Nobody can write to either table meanwhile, so a swap that breaks off there is taken back, by whoever finds it:
 * see `giveNameBack`.
 */
export class TwoStep implements SwapStrategy {
  readonly name = 'two-step';

  constructor(private readonly deps: CutOverDeps) {}

  prepare(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async swap(): Promise<void> {
    const { work, pair, options } = this.deps;
    const { names, origin } = pair;
    await this.rename(origin.table, names.old);
    try {
      await this.rename(names.ghost, origin.table);
    } catch (error) {
      if (work.lost) throw error;
      // The lock does not go with the new name, and would keep this session from giving it back.
      await unlockTables(work);
      const standing = await giveNameBack(work, pair, liveLock(options.giveUpAfterMs));
      if (standing === 'given-away') throw halfSwapped(pair, error);
      if (standing !== 'swapped') throw error;
    }
  }

  /** RENAME TABLE is refused under LOCK TABLES on MariaDB. */
  private async rename(from: string, to: string): Promise<void> {
    const { work, pair } = this.deps;
    await work.execute(`ALTER TABLE ${qualified(pair.schema, from)} RENAME TO ${qualified(pair.schema, to)}`);
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
