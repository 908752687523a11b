import { begunAnew } from './binlog-errors';

/**
 * The files of the log by when each was begun. A server that is told to forget its log (RESET) begins again with a name that
 * it has used, and a place in the old file means nothing in the new one.
 */
export class LogFiles {
  private readonly begun = new Map<string, number>();

  /**
   * @param begun by the server's clock, in seconds since 1970, as its description says
   * @throws Refusal LHM_BINLOG_PURGED
   */
  opened(file: string, begun: number): void {
    const before = this.begun.get(file);
    if (before !== undefined && before !== begun) throw begunAnew(file);
    this.begun.set(file, begun);
  }
}
