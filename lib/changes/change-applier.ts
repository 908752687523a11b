import { errorNumber, DUPLICATE_ENTRY, isDataError, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import type { Refusal } from '../errors';
import { debugLog } from '../events/debug-log';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';
import { deleteFromGhost, ghostHas, insertFromOrigin, originHas } from './apply-sql';
import type { CascadeFollower } from './cascade-follower';
import type { ChangeSource } from './change-source';
import type { ConflictFinder } from './conflict-finder';
import type { CulpritFinder } from './culprit-finder';
import { doesNotFit } from './does-not-fit';
import type { LossFinder } from './loss-finder';

const log = debugLog('changes');

/** Some rows, as a condition on either table by its own name. */
export interface Rows {
  readonly origin: string;
  readonly ghost: string;
}

/**
 * How often rows in the way are taken out before the caller is asked to try less at once. One round clears all there
 * are; a further one is needed only when writers moved more values meanwhile.
 */
const CONFLICT_ROUNDS = 8;

/**
 * Makes the ghost's rows of some keys what the origin's are now: delete and insert, inside the caller's transaction.
 *
 * The origin is read by a statement that starts after the keys were read, so whatever changed a key before is in.
 *
 * A value that another ghost row still holds shows as a duplicate: it moved, and that row is out of date. The row is
 * taken out of the ghost, and its key put into the journal by the same transaction, so that it is applied once more.
 * Bringing it up to date on the spot would not end: its new value may be held by the next row, and so on through
 * every row that a `SET position = position + 1` moved. A row that is out of date is taken out at most once, since what
 * comes back is current; so this ends, and until then the key waits in the journal like that of any other change.
 */
export class ChangeApplier {
  constructor(
    private readonly pair: TablePair,
    private readonly conflicts: ConflictFinder,
    private readonly culprits: CulpritFinder,
    private readonly losses: LossFinder,
    private readonly cascades: CascadeFollower,
    private readonly source: Pick<ChangeSource, 'requeue'>,
    /** Most keys that one statement may list. */
    private readonly keysAtOnce: () => number,
  ) {}

  async apply(session: Session, keys: readonly RowKey[]): Promise<void> {
    if (keys.length === 0) return;
    const rows = { origin: originHas(this.pair, keys), ghost: ghostHas(this.pair, keys) };
    await this.cascades.lockParents(session, rows.origin);
    await session.execute(deleteFromGhost(this.pair, keys));
    await this.insert(session, rows);
  }

  /** Inserts rows of which none is in the ghost, for the first time. */
  async copy(session: Session, rows: Rows): Promise<number> {
    await this.cascades.lockParents(session, rows.origin);
    return this.insert(session, rows);
  }

  /**
   * Inserts the origin's rows (none of them in the ghost), and takes out every ghost row that stands in the way. What a
   * cascade changed meanwhile goes into the journal.
   *
   * @throws Refusal LHM_DUPLICATE_ROWS when the origin itself holds both rows, LHM_DATA_WOULD_BE_LOST when a value
   * does not fit
   */
  private async insert(session: Session, { origin: condition, ghost }: Rows): Promise<number> {
    const inserted = await this.insertAll(session, condition);
    if (!this.cascades.needed) return inserted;
    const outdated = await this.cascades.outdated(session, ghost);
    if (outdated.length > 0) log('%d rows were changed by a cascade meanwhile', outdated.length);
    const most = this.keysAtOnce();
    for (let from = 0; from < outdated.length; from += most) {
      await this.source.requeue(session, outdated.slice(from, from + most));
    }
    return inserted;
  }

  private async insertAll(session: Session, condition: string): Promise<number> {
    await this.losses.check(session, condition);
    for (let round = 1; ; round++) {
      try {
        return (await session.execute(insertFromOrigin(this.pair, condition))).affectedRows;
      } catch (error) {
        if (isDataError(error)) throw await this.dataLoss(session, condition, error);
        if (errorNumber(error) !== DUPLICATE_ENTRY || round >= CONFLICT_ROUNDS) throw error;
        log('duplicate in round %d: %s', round, messageOf(error));
        const others = await this.conflicts.find(session, condition, error);
        // None found: the value moved on meanwhile. The next try reads anew.
        if (others.length === 0) continue;
        await session.execute(deleteFromGhost(this.pair, others));
        await this.source.requeue(session, others);
      }
    }
  }

  private async dataLoss(session: Session, condition: string, cause: unknown): Promise<Refusal> {
    let culprit: RowKey | null = null;
    try {
      culprit = await this.culprits.find(session, condition);
    } catch (error) {
      log('the row was not found: %s', messageOf(error));
    }
    const ways = 'or set columns.allowDataLoss to have values cut';
    return doesNotFit(this.pair, culprit, messageOf(cause), ways, cause);
  }
}
