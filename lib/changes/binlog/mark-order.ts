import { missingMark } from '../../binlog/binlog-errors';

/**
 * Our own marks are committed by one session, one after the other, and so stand in the log in the order of their numbers. One
 * that was committed and is passed over shows that a part of the log was not read, however well the rest fits together: a
 * server whose log is begun anew goes on with the new file of the same number behind the removed one that it holds open.
 */
export class MarkOrder {
  /** The last that has come back. */
  private newest = 0;
  private readonly awaited = new Set<number>();

  /** @param last the last mark of those that may stand before the place where the reading begins */
  beginAfter(last: number): void {
    this.newest = last;
    this.awaited.clear();
  }

  /** The server said so; the mark may have come back before. */
  committed(mark: number): void {
    if (mark > this.newest) this.awaited.add(mark);
  }

  /**
   * They have come back, perhaps not for the first time.
   *
   * @param marks 0 is none
   * @returns the last of them; 0 when there is none
   * @throws Refusal LHM_BINLOG_PURGED when one that was committed before them has not
   */
  passed(marks: readonly number[]): number {
    for (const mark of marks) if (mark > this.newest) this.pass(mark);
    return Math.max(0, ...marks);
  }

  private pass(mark: number): void {
    this.newest = mark;
    this.awaited.delete(mark);
    // They were put there in their order.
    const [first] = this.awaited;
    if (first !== undefined && first < mark) throw missingMark();
  }
}
