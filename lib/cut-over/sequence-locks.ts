import { sequencesOf } from '../schema/sequences';
import type { TablePair } from '../schema/table-pair';
import type { LockedStep, Relative } from './locked-step';

/**
 * MariaDB: whoever has locked tables and inserts into one with DEFAULT NEXT VALUE FOR must have locked the sequence as
 * well, even where every value is given. Concurrently, so that it neither waits for those who count on nor keeps them
 * waiting: one of the table's own transactions could end in a deadlock otherwise.
 */
export class SequenceLocks implements LockedStep {
  readonly name = 'sequences';
  readonly needsLock = null;
  private readonly sequences: readonly Relative[];

  constructor({ ghost }: TablePair) {
    this.sequences = sequencesOf(ghost.createSql).map((name) => ({ ...name, concurrently: true }));
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
