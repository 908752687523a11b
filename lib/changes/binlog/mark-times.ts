import { clock } from '../../util/clock';
import type { Heartbeat } from '../change-source';

/** Marks whose time is remembered: more than two hours of the default heartbeat. */
const MOST = 20_000;

/** When each mark was committed, so that a replica which shows one tells how far it is behind. */
export class MarkTimes implements Heartbeat {
  private readonly times: { readonly mark: number; readonly at: number }[] = [];

  constructor(readonly sql: string) {}

  committed(mark: number): void {
    this.times.push({ mark, at: clock.monotonic() });
    if (this.times.length > MOST) this.times.splice(0, MOST / 2);
  }

  /** The age of the first mark that it has not got yet. */
  lagAt(counter: number): number {
    const missing = this.times.find(({ mark }) => mark > counter);
    return missing === undefined ? 0 : clock.monotonic() - missing.at;
  }
}
