import { sequencesOf } from '../schema/sequences';
import type { TablePair } from '../schema/table-pair';
import type { LockedStep, Relative } from './locked-step';

/**
 * MariaDB: whoever has locked tables and inserts into one with DEFAULT NEXT VALUE FOR must have locked the sequence as
 * well, even where every value is given. Nothing of it changes: who counts on waits as long as the application does.
 */
export class SequenceLocks implements LockedStep {
  readonly name = 'sequences';
  readonly needsLock = null;
  private readonly sequences: readonly Relative[];

  constructor({ ghost }: TablePair) {
    this.sequences = sequencesOf(ghost.createSql);
  }

  relatives(): Promise<readonly Relative[]> {
    return Promise.resolve(this.sequences);
  }

  async prepare(): Promise<void> {}

  async beforeSwap(): Promise<void> {}

  async atSwap(): Promise<void> {}

  async takeBack(): Promise<void> {}

  async finish(): Promise<void> {}
}
