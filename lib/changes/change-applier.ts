import { errorNumber, DUPLICATE_ENTRY, isDataError, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { Refusal } from '../errors';
import { debugLog } from '../events/debug-log';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';
import { deleteFromGhost, insertFromOrigin, originHas } from './apply-sql';
import type { ConflictFinder } from './conflict-finder';

const log = debugLog('changes');

/** How often conflicting keys are added to a batch before the conflict is called unsolvable for the moment. */
const CONFLICT_ROUNDS = 25;

/**
 * Makes the ghost's rows of some keys what the origin's are now: delete and insert, inside the caller's transaction.
 *
 * The origin is read by a statement that starts after the keys were read, so whatever changed a key before is in.
 * A value that another ghost row still holds (it moved, and that row's own entry waits) shows as a duplicate;
 * that row is then brought up to date in the same batch.
 */
export class ChangeApplier {
  constructor(
    private readonly pair: TablePair,
    private readonly conflicts: ConflictFinder,
  ) {}

  async apply(session: Session, keys: readonly RowKey[]): Promise<void> {
    if (keys.length === 0) return;
    await session.execute(deleteFromGhost(this.pair, keys));
    await this.insert(session, originHas(this.pair, keys));
  }

  /**
   * Inserts the origin's rows that meet `condition` (none of them in the ghost), and brings along every ghost row
   * that stands in the way.
   *
   * @throws Refusal LHM_DUPLICATE_ROWS when the origin itself holds both rows, LHM_DATA_WOULD_BE_LOST when a value
   * does not fit
   */
  async insert(session: Session, condition: string): Promise<number> {
    let extended = condition;
    for (let round = 1; ; round++) {
      try {
        return (await session.execute(insertFromOrigin(this.pair, extended))).affectedRows;
      } catch (error) {
        if (isDataError(error)) throw dataLoss(this.pair, error);
        if (errorNumber(error) !== DUPLICATE_ENTRY || round >= CONFLICT_ROUNDS) throw error;
        log('duplicate in round %d: %s', round, messageOf(error));
        const others = await this.conflicts.find(session, extended, error);
        // None found: the other row was brought up to date meanwhile, or the value moved on. The next try reads anew.
        if (others.length === 0) continue;
        await session.execute(deleteFromGhost(this.pair, others));
        extended = `(${extended} OR ${originHas(this.pair, others)})`;
      }
    }
  }
}

function dataLoss(pair: TablePair, cause: unknown): Refusal {
  return new Refusal(
    'LHM_DATA_WOULD_BE_LOST',
    `A row of '${pair.origin.table}' does not fit the new definition: ${messageOf(cause)}.`,
    'Correct the rows, or choose a definition that holds them; the table was left as it is.',
    { cause },
  );
}
