import { clock } from '../util/clock';

/** How long a level must last while the migration holds before it counts as usual, in ms. */
const LASTING_MS = 60_000;

/** How fast what was usual is forgotten while less is seen, in ms. */
const FORGOTTEN_MS = 600_000;

/**
 * A limit for a figure nobody has named one for: so much, or twice what is usual on this server. What goes on while the
 * migration holds is not its own doing, so a level that lasts is taken for usual: no server is too busy for good.
 */
export class UsualLevel {
  private usual: number | null = null;
  private seenAt = 0;
  private aboveSince: number | null = null;

  constructor(
    /** The limit is never below. */
    private readonly atLeast: number,
    private readonly now: () => number = clock.monotonic,
  ) {}

  /** The limit for the value that was just seen. The first one must be seen before the work begins. */
  limitFor(value: number): number {
    const now = this.now();
    const usual = this.usual ?? value;
    const limit = Math.max(this.atLeast, 2 * usual);
    this.usual = usual;
    if (value > limit) {
      this.aboveSince ??= now;
      if (now - this.aboveSince >= LASTING_MS) {
        this.usual = value;
        this.aboveSince = null;
      }
    } else {
      this.aboveSince = null;
      if (value < usual)
        this.usual = usual - (usual - value) * Math.min(1, (now - this.seenAt) / FORGOTTEN_MS);
    }
    this.seenAt = now;
    return Math.max(limit, 2 * this.usual);
  }
}
