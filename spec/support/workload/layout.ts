import type { Random } from './random';

/**
 * Who may change which row.
 *
 * Ids come in blocks of ten and each place in a block is a lane of its own, so that every kind of row is spread over
 * the whole key: whatever the copy has reached, each kind has rows below it and above it. Within a lane the
 * blocks are dealt out to the writers in turn. Lanes start at id 1: an explicit 0 would be renumbered.
 */
export const LANES = 10;

export const LANE = {
  /** Incremented by every writer. */
  counter: 0,
  /** Has a partner of the same version in the pair table; never deleted. */
  paired: 1,
  /** Hold a unique value which moves between rows. */
  slotA: 2,
  slotB: 3,
  /** Changes its id, there and back. */
  moving: 4,
  /** Owned by one writer, who does anything to them. The last is empty at the start: gaps within the key. */
  owned: [5, 6, 7, 8],
  gap: 8,
  /** Never touched: the copy alone answers for them. */
  idle: 9,
} as const;

/** How far a row is moved, and where the server's own ids begin: above everything else. */
export const MOVE_BY = 1_000_000_000;
export const AUTO_FROM = 2_000_000_000;

const HOT = 8;

export class Layout {
  /** Full blocks. */
  readonly blocks: number;
  /** The highest id that the table begins with. */
  readonly span: number;
  /** The counter that belongs to the probe alone: nobody else's row lock may look like a stall. */
  readonly probeId: number;

  constructor(
    readonly rows: number,
    readonly writers: number,
  ) {
    this.blocks = Math.floor(rows / (LANES - 1));
    if (this.blocks < writers * 4) throw new Error(`${rows} rows are too few for ${writers} writers`);
    // What is left over becomes a last, short block, which nobody writes to.
    this.span = this.blocks * LANES + (rows % (LANES - 1));
    this.probeId = Layout.id(LANE.counter, Math.floor(this.blocks / 2));
  }

  static id(lane: number, block: number): number {
    return block * LANES + lane + 1;
  }

  static laneOf(id: number): number {
    return (id - 1) % LANES;
  }

  presentAtFirst(id: number): boolean {
    return id >= 1 && id <= this.span && Layout.laneOf(id) !== LANE.gap;
  }

  /** One of the writer's own rows in a lane; half of them from a few that are used again and again. */
  own(lane: number, writer: number, random: Random): number {
    const count = Math.floor((this.blocks - writer - 1) / this.writers) + 1;
    return Layout.id(lane, writer + this.writers * place(count, 0.5, random));
  }

  /** `hot`: how often it is one of those that all writers use again and again. */
  counter(random: Random, hot = 0.3): number {
    const id = Layout.id(LANE.counter, place(this.blocks, hot, random));
    return id === this.probeId ? id + LANES : id;
  }

  /** The ids, in a lane, that the writers use again and again. */
  hot(lane: number): number[] {
    const ids: number[] = [];
    for (let writer = 0; writer < this.writers; writer++) {
      const count = Math.floor((this.blocks - writer - 1) / this.writers) + 1;
      for (let i = 0; i < HOT; i++) ids.push(Layout.id(lane, writer + this.writers * hotPlace(count, i)));
    }
    return [...new Set(ids)];
  }
}

function place(count: number, hot: number, random: Random): number {
  return random.chance(hot) ? hotPlace(count, random.int(HOT)) : random.int(count);
}

function hotPlace(count: number, i: number): number {
  return Math.floor((i * count) / HOT);
}
