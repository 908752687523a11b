import { createTaking } from '../database/create-taking';
import type { CutOverDeps, SwapStrategy } from './cut-over-deps';
import { renameStatement } from './rename-statement';

/**
 * The connection that holds the lock renames (MySQL 8.0.13+): if it dies, the tables are swapped or they are not,
 * and nothing is in between. Writers wait, and go on with the new table without an error.
 */
export class RenameUnderLock implements SwapStrategy {
  readonly name = 'rename-under-lock';

  constructor(private readonly deps: CutOverDeps) {}

  prepare(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async swap(): Promise<void> {
    const { work, pair } = this.deps;
    await createTaking(work, { schema: pair.schema, table: pair.names.old }, renameStatement(pair));
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
