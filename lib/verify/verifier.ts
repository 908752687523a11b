import { nextRange } from '../chunk/chunker';
import { insertFromOrigin } from '../changes/apply-sql';
import type { ChangeSource } from '../changes/change-source';
import type { ScratchTable } from '../changes/scratch-table';
import { isDataError, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { transaction } from '../database/transaction';
import { Refusal } from '../errors';
import type { Tell } from '../events/tell';
import { debugLog } from '../events/debug-log';
import type { RowKey } from '../schema/key-column';
import type { TablePair } from '../schema/table-pair';
import {
  comparesInPlace,
  countDifferences,
  listDiffering,
  listExtra,
  listPending,
  listScratchDiffering,
  listScratchExtra,
  MOST_DIFFERENCES,
  selectKeys,
  selectRange,
  type Selection,
} from './compare-sql';
import { describeDifference } from './describe-difference';
import type { RecheckTable } from './recheck-table';

const log = debugLog('verify');

/** Differing rows that an error describes. */
const MOST_DESCRIBED = 5;

/** Keys compared again by one statement. */
export const RECHECK_KEYS = 500;

/** How often a row that differs is looked at before it counts, where cascades change rows. */
const MOST_LOOKS = 4;

/** How often in a row a range is compared again since a row of it does not fit. */
const MOST_UNFIT = 10;

interface Compared {
  readonly rows: number;
  readonly differing: readonly RowKey[];
}

/** How much was compared. */
export interface VerifiedCounts {
  /** Rows compared in the walk over the whole table. */
  readonly rows: number;
  /** The walk, and the passes over keys that were written to meanwhile. */
  readonly rounds: number;
  /** Keys compared again because they were written to after their range had been compared. */
  readonly rechecked: number;
  /** Keys compared while the application was blocked. */
  readonly underLock: number;
  /** Rows that were not compared: 0, or all that were copied when the verification was switched off. */
  readonly notCompared: number;
}

/**
 * Compares origin and ghost while writers run, without a table lock: journal, origin and ghost are read by one
 * statement and so in one snapshot, in which a key either is equal on both sides or waits in the journal. Converted
 * columns are built a second time in a scratch table instead, and the journal is read after both sides.
 *
 * Keys applied after their range was compared are recorded by the replayer and compared again, the last of them
 * under the lock of the cut-over. A difference is repaired once, by journalling its key; a second one is an error.
 */
export class Verifier {
  private after: RowKey | null = null;
  private begun = false;
  private walked = false;
  private rows = 0;
  private rounds = 1;
  private rechecked = 0;
  private underLock = 0;
  private unfit = 0;
  private readonly repaired = new Set<string>();
  /** Those of them that have not been found to be equal since. */
  private readonly mending = new Set<string>();

  constructor(
    private readonly pair: TablePair,
    private readonly source: ChangeSource,
    private readonly recheck: RecheckTable,
    private readonly scratch: ScratchTable,
    private readonly rowsAtOnce: number,
    /** Most keys that one statement may list. */
    private readonly keysAtOnce: () => number,
    private readonly tell: Tell,
  ) {}

  get counts(): VerifiedCounts {
    const { rows, rounds, rechecked, underLock } = this;
    return { rows, rounds, rechecked, underLock, notCompared: 0 };
  }

  get walkDone(): boolean {
    return this.walked;
  }

  /** Compares the next range of the walk over the whole table. */
  async walkNext(session: Session): Promise<void> {
    const { pair } = this;
    if (this.after === null && !this.begun) this.tell('round', { round: 1 });
    this.begun = true;
    const { originIndex, originKeys } = pair.key;
    const walk = { schema: pair.schema, table: pair.origin.table, index: originIndex, keys: originKeys };
    const range = await transaction(session, () => nextRange(session, walk, this.after, this.rowsAtOnce));
    const selection = selectRange(pair, range);
    const compared = await this.unlessUnfit(session, () =>
      comparesInPlace(pair)
        ? this.compareInPlace(session, selection)
        : this.compareConverted(session, selection),
    );
    // The same range comes again.
    if (compared === null) return;
    const { rows, differing: found } = compared;
    const differing = await this.withoutWaiting(session, found, null);
    await this.refuseRepeated(session, differing);
    await transaction(session, () => this.requeue(session, differing));
    // Not before: the step may be repeated when its connection is lost.
    this.repairs(differing);
    this.rows += rows;
    this.after = range.upTo;
    this.walked = range.upTo === null;
  }

  /**
   * Compares keys that were written to meanwhile; returns how many entries there were, 0 when none is left.
   *
   * @param lockedForMs how long the session, which holds the tables, may still be waited for; null while it holds none
   */
  async recheckNext(session: Session, lockedForMs: number | null = null): Promise<number> {
    const batch = await transaction(session, () =>
      this.recheck.read(session, Math.min(RECHECK_KEYS, this.keysAtOnce())),
    );
    if (batch.entries === 0) return 0;
    const selection = selectKeys(this.pair, batch.keys);
    const found = await transaction(session, async () =>
      comparesInPlace(this.pair)
        ? this.listInPlace(session, selection)
        : (await this.compareConverted(session, selection)).differing,
    );
    const differing = await this.withoutWaiting(session, found, lockedForMs);
    await this.refuseRepeated(session, differing);
    // In one transaction, or a difference would be forgotten with the connection.
    await transaction(session, async () => {
      await this.recheck.remove(session, batch);
      await this.requeue(session, differing);
    });
    this.repairs(differing);
    this.seeRepaired(batch.keys, found);
    this.rechecked += batch.keys.length;
    if (lockedForMs !== null) this.underLock += batch.keys.length;
    return batch.entries;
  }

  /**
   * In a transaction; null when a row has got a value that does not fit since changes were applied last. It waits by the end
   * of this, and whoever applies it names it.
   */
  private async unlessUnfit<T>(session: Session, compare: () => Promise<T>): Promise<T | null> {
    try {
      const result = await transaction(session, compare);
      this.unfit = 0;
      return result;
    } catch (error) {
      if (!isDataError(error) || ++this.unfit > MOST_UNFIT) throw error;
      log('a row does not fit: %s', messageOf(error));
    }
    await this.source.gather(null);
    return null;
  }

  /** A change may have been seen in its row before its key could be among those that wait: once all are there, it is. */
  private async withoutWaiting(
    session: Session,
    differing: readonly RowKey[],
    lockedForMs: number | null,
  ): Promise<readonly RowKey[]> {
    if (differing.length === 0) return differing;
    const gathered =
      lockedForMs === null ? this.source.gather(null) : this.source.gather(session, lockedForMs);
    if (!(await gathered)) return differing;
    const pending = this.source.pendingKeys();
    const { originKeys } = this.pair.key;
    const waiting = new Set<string>();
    for (const keys of this.fitting(differing)) {
      const statement = listPending(this.pair, pending, keys);
      const rows = await transaction(session, () => session.query(statement));
      for (const row of rows) waiting.add(JSON.stringify(originKeys.read(row)));
    }
    return differing.filter((key) => !waiting.has(JSON.stringify(key)));
  }

  private async requeue(session: Session, differing: readonly RowKey[]): Promise<void> {
    for (const keys of this.fitting(differing)) await this.source.requeue(session, keys);
  }

  /** As many at once as one statement may list. */
  private *fitting(keys: readonly RowKey[]): Generator<readonly RowKey[]> {
    const most = this.keysAtOnce();
    for (let from = 0; from < keys.length; from += most) yield keys.slice(from, from + most);
  }

  nextRound(): void {
    this.rounds += 1;
    this.tell('round', { round: this.rounds });
  }

  private async compareInPlace(session: Session, selection: Selection): Promise<Compared> {
    const [counts] = await session.query<Record<string, unknown>>(countDifferences(this.pair, selection));
    const rows = Number(counts?.['hadron_rows']);
    const equal = Number(counts?.['hadron_differing']) === 0 && Number(counts?.['hadron_extra']) === 0;
    return { rows, differing: equal ? [] : await this.listInPlace(session, selection) };
  }

  private async listInPlace(session: Session, selection: Selection): Promise<RowKey[]> {
    const pending = this.source.pendingKeys();
    const { originKeys, ghostKeys } = this.pair.key;
    const differing = await session.query(listDiffering(this.pair, selection, pending));
    const extra = await session.query(listExtra(this.pair, selection, pending));
    return [...differing.map((row) => originKeys.read(row)), ...extra.map((row) => ghostKeys.read(row))];
  }

  /**
   * The scratch rows, the ghost's and the journal are read one after another, and a cascade in between leaves no entry: so
   * what differs is looked at again.
   */
  private async compareConverted(session: Session, selection: Selection): Promise<Compared> {
    const first = await this.compareByScratch(session, selection);
    if (this.pair.carriedKeys.length === 0) return first;
    let { differing } = first;
    for (let look = 2; look <= MOST_LOOKS && differing.length > 0; look++) {
      const some = differing.slice(0, this.keysAtOnce());
      const again = await this.compareByScratch(session, selectKeys(this.pair, some));
      differing = [...again.differing, ...differing.slice(some.length)];
    }
    return { rows: first.rows, differing };
  }

  private async compareByScratch(session: Session, selection: Selection): Promise<Compared> {
    const { pair } = this;
    const { ghostKeys, originKeys } = pair.key;
    await this.scratch.clear(session);
    const { affectedRows: rows } = await session.execute(
      insertFromOrigin(pair, selection.origin, pair.names.scratch),
    );
    const differing = await session.query(listScratchDiffering(pair));
    const extra = await session.query(listScratchExtra(pair, selection));
    const keys = [...differing, ...extra].map((row) => ghostKeys.read(row));
    if (keys.length === 0) return { rows, differing: [] };
    // Read last: whatever changed the origin before the scratch rows were built is either applied or still here.
    const pending = await session.query(listPending(pair, this.source.pendingKeys()));
    const waiting = new Set(pending.map((row) => JSON.stringify(originKeys.read(row))));
    return { rows, differing: keys.filter((key) => !waiting.has(JSON.stringify(key))) };
  }

  /** Each key is repaired once. */
  private async refuseRepeated(session: Session, differing: readonly RowKey[]): Promise<void> {
    if (differing.length === 0) return;
    log('%d keys differ: %j', differing.length, differing.slice(0, 5));
    const again = differing.some((key) => this.repaired.has(JSON.stringify(key)));
    if (!again && differing.length < MOST_DIFFERENCES) return;
    const rows: string[] = [];
    for (const key of differing.slice(0, MOST_DESCRIBED)) {
      rows.push(`(${await describeDifference(session, this.pair, this.scratch, key)})`);
    }
    const more = differing.length - rows.length;
    throw new Refusal(
      'LHM_VERIFY_FAILED',
      `${differing.length} rows of the new table differ from the original, and not for writes that wait: ${rows.join(', ')}${more > 0 ? `, and ${more} more` : ''}.`,
      `The table was left as it is. ${this.differenceHint()}`,
    );
  }

  private differenceHint(): string {
    const report = "please report it, with the table's definition.";
    const { blindTo } = this.source;
    if (blindTo === null) return `This should not happen: ${report}`;
    return `The binary log does not tell of ${blindTo}: if there are any, use mode: 'triggers'; otherwise ${report}`;
  }

  private repairs(differing: readonly RowKey[]): void {
    for (const key of differing.map((one) => JSON.stringify(one))) {
      this.repaired.add(key);
      this.mending.add(key);
    }
    if (differing.length === 0) return;
    const { originKeys } = this.pair.key;
    const keys = differing.slice(0, MOST_DESCRIBED).map((key) => originKeys.describe(key));
    this.tell('different', { rows: differing.length, keys });
  }

  /** @param found those of them that differ */
  private seeRepaired(compared: readonly RowKey[], found: readonly RowKey[]): void {
    if (this.mending.size === 0) return;
    const still = new Set(found.map((key) => JSON.stringify(key)));
    const equal = compared.map((key) => JSON.stringify(key)).filter((key) => !still.has(key));
    const rows = equal.filter((key) => this.mending.delete(key)).length;
    if (rows > 0) this.tell('repaired', { rows });
  }
}
