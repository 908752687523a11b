import type { BinlogEvent, RowImages, Value } from '../../binlog/binlog-events';
import { comparePositions, type BinlogPosition } from '../../binlog/binlog-position';
import { Refusal } from '../../errors';

export type Action = 'insert' | 'update' | 'delete';

/** A key of the origin as SQL literals, and what happened to its row. */
export interface CapturedKey {
  readonly action: Action;
  readonly literals: readonly string[];
}

/** XA transactions of other tables that are remembered, in case their COMMIT is read once more. */
const MOST_OF_OTHERS = 100_000;

/** Keys of one transaction that are kept in case it is a distributed one, or one of several engines. */
const MOST_HELD = 500_000;

export interface Held {
  readonly keys: ReadonlyMap<string, CapturedKey>;
  readonly begunAt: BinlogPosition | null;
  /** Of them those whose locks tell whether it is over: the first and the last, or all where some may have been taken back. */
  readonly ends: readonly CapturedKey[];
  /** Of one whose COMMIT was read: it was waited for already, and took longer. */
  waited: boolean;
}

/** Which keys have changed, out of what the binary log tells. */
export class CapturedKeys {
  /** Changed, and not written to the journal yet. Equal literals are equal bytes. */
  private pending = new Map<string, CapturedKey>();
  /** Of the transaction that is being read. */
  private open = new Map<string, CapturedKey>();
  private begunAt: BinlogPosition | null = null;
  private overflown = false;
  private takenBack = false;
  /** XA transactions that belong to nobody yet, by their xid. */
  private readonly prepared = new Map<string, Held>();
  /** Those whose COMMIT was read, and may not have been done yet. */
  private readonly ending = new Map<string, Held>();
  /** Likewise, of those without a name: they are seen in no order with others. */
  private readonly unseen = new Set<Held>();

  /** XA transactions without rows of the table whose COMMIT was read behind the place where reading would begin again. */
  private readonly ofOthers = new Set<string>();

  /** How many wait to be written. */
  get size(): number {
    return this.pending.size;
  }

  /** Transactions that changed rows of the table, and are prepared or not done yet. */
  get inDoubt(): number {
    return this.held().filter(({ keys }) => keys.size > 0).length;
  }

  /** Those whose COMMIT was read, and may not have been done yet. `xa`: they have a name, and are told by `settle`. */
  endingOnes(): { readonly xa: readonly Held[]; readonly others: readonly Held[] } {
    return { xa: [...this.ending.values()], others: [...this.unseen] };
  }

  /** @param stillPrepared XA transactions that are prepared by the server's own word; all others are over */
  settle(stillPrepared: ReadonlySet<string>): void {
    for (const xid of this.ending.keys()) if (!stillPrepared.has(xid)) this.isOver(xid);
  }

  /** What one of the others has changed can be seen. */
  isSeen(other: Held): void {
    if (this.unseen.delete(other)) this.putOff(other);
  }

  /**
   * Where to begin again after a loss: before all prepared transactions that are not over.
   *
   * @param reached everything before it was taken in
   */
  startAgainAt(reached: BinlogPosition): BinlogPosition {
    let first = reached;
    for (const { keys, begunAt } of this.held()) {
      if (keys.size > 0 && begunAt !== null && comparePositions(begunAt, first) < 0) first = begunAt;
    }
    return first;
  }

  /** Reading would begin again at `startAgainAt(reached)` from now on. */
  wroteDown(reached: BinlogPosition): void {
    if (comparePositions(this.startAgainAt(reached), reached) === 0) this.ofOthers.clear();
  }

  /** Whether the transaction was told to be prepared, and is not over. */
  isPrepared(xid: string): boolean {
    return this.prepared.has(xid);
  }

  /**
   * Forgets what comes again. A transaction without rows of the table is none that reading has to begin before: of some of
   * these only the end will come.
   */
  reset(): void {
    this.pending = new Map();
    this.ending.clear();
    this.unseen.clear();
    for (const [xid, { keys }] of this.prepared) if (keys.size > 0) this.prepared.delete(xid);
    this.close();
  }

  /** What waits, which counts as written from here on; `giveBack` otherwise. */
  take(): CapturedKey[] {
    const taken = [...this.pending.values()];
    this.pending = new Map();
    return taken;
  }

  giveBack(keys: readonly CapturedKey[]): void {
    for (const key of keys) this.pending.set(nameOf(key.literals), key);
  }

  /** @throws Refusal for what cannot be followed */
  takeIn(event: BinlogEvent): void {
    switch (event.kind) {
      case 'begin':
        this.close();
        this.begunAt = event.position;
        break;
      case 'rows':
        for (const row of event.rows) this.row(event.action, row);
        break;
      case 'taken-back':
        this.takenBack = true;
        break;
      case 'commit':
        if (event.byStatement === true && this.open.size > 0) this.unseen.add(this.takeOpen());
        this.close();
        break;
      case 'rollback':
        this.close();
        break;
      case 'xa-prepare':
        // The name is free again only when the last that bore it is over.
        this.isOver(event.xid);
        this.prepared.set(event.xid, this.takeOpen());
        this.close();
        break;
      case 'xa-commit': {
        const held = this.prepared.get(event.xid);
        if (held === undefined) {
          // Read once more, from a place behind where it was prepared.
          if (this.ofOthers.has(event.xid)) break;

          throw preparedBefore(event.xid);
        }
        this.prepared.delete(event.xid);
        if (held.keys.size > 0) this.ending.set(event.xid, held);
        else this.isOfOthers(event.xid);
        break;
      }
      case 'xa-rollback':
        this.prepared.delete(event.xid);
        break;
    }
  }

  private isOfOthers(xid: string): void {
    this.ofOthers.add(xid);
    const [oldest] = this.ofOthers;
    if (this.ofOthers.size > MOST_OF_OTHERS && oldest !== undefined) this.ofOthers.delete(oldest);
  }

  private isOver(xid: string): void {
    const held = this.ending.get(xid);
    if (held !== undefined) this.putOff(held);
    this.ending.delete(xid);
  }

  /** Its keys were written when they were read, but then the changes were not there yet. */
  private putOff({ keys }: Held): void {
    for (const [name, key] of keys) this.pending.set(name, key);
  }

  private held(): Held[] {
    return [...this.prepared.values(), ...this.ending.values(), ...this.unseen];
  }

  private takeOpen(): Held {
    if (this.overflown) throw tooMuchHeld();
    const { open: keys, begunAt } = this;
    const all = [...keys.values()];
    this.open = new Map();
    const ends = this.takenBack ? all : [...all.slice(0, 1), ...all.slice(1).slice(-1)];
    return { keys, begunAt, ends, waited: false };
  }

  private close(): void {
    this.open = new Map();
    this.begunAt = null;
    this.overflown = false;
    this.takenBack = false;
  }

  private row(action: Action, { before, after }: RowImages): void {
    if (before !== undefined) this.add(action === 'update' ? 'update' : 'delete', complete(before));
    if (after === undefined) return;
    // A minimal image of an update has what was changed; the rest is as it was.
    const values =
      before === undefined ? after : after.map((value, i) => (value === undefined ? before[i] : value));
    this.add(action === 'update' ? 'update' : 'insert', complete(values));
  }

  private add(action: Action, literals: readonly string[]): void {
    const name = nameOf(literals);
    const key = { action, literals };
    this.pending.set(name, key);
    if (this.open.size >= MOST_HELD) this.overflown = true;
    else this.open.set(name, key);
  }
}

function nameOf(literals: readonly string[]): string {
  return literals.join('\0');
}

/** @throws Refusal when the image does not tell the whole key */
function complete(values: readonly Value[]): string[] {
  return values.map((value) => {
    if (value === undefined) throw imageWithoutKey();
    return value ?? 'NULL';
  });
}

function imageWithoutKey(): Refusal {
  return new Refusal(
    'LHM_BINLOG_ROW_IMAGE',
    'A change in the binary log does not tell the key of its row (binlog_row_image).',
    "Nothing was swapped. Set it to FULL for all that write to the table (SET GLOBAL binlog_row_image = 'FULL'; connections opened from then on use it), or use mode: 'triggers'.",
  );
}

function preparedBefore(xid: string): Refusal {
  return new Refusal(
    'LHM_BINLOG_XA',
    `An XA transaction (${xid}) was committed that had been prepared before the migration began to read the binary log: what it changed is not known.`,
    'Nothing was swapped. Run again when XA RECOVER lists no transaction from before.',
  );
}

function tooMuchHeld(): Refusal {
  return new Refusal(
    'LHM_BINLOG_XA',
    `An XA transaction, or one that had to do with an Aria table as well, changed more than ${MOST_HELD} rows of the table; they cannot all be remembered until it ends.`,
    "Nothing was swapped. Let it change less at once, or use mode: 'triggers'.",
  );
}
