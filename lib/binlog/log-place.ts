import type { BinlogPosition } from './binlog-position';
import { standsInFile, type EventHeader } from './event-header';

const WRAP = 2 ** 32;

/** Where in the log the reader is, and the last place between two transactions: only there can reading begin again. */
export class LogPlace {
  private file: string;
  private offset: number;
  private gtid: string | undefined;
  private boundary: BinlogPosition;

  constructor(from: BinlogPosition) {
    this.file = from.file;
    this.offset = from.offset;
    this.gtid = from.gtid;
    this.boundary = from;
  }

  /** Behind the event. Its own word is modulo 2^32, and one transaction may be longer than that. */
  pass(header: EventHeader): void {
    if (!standsInFile(header)) return;
    const next = this.offset + header.size;
    this.offset = next % WRAP === header.logPos ? next : header.logPos;
  }

  rotate(file: string, offset: number): void {
    this.file = file;
    this.offset = offset;
  }

  get inFile(): string {
    return this.file;
  }

  /** The name of the transaction that begins. */
  name(gtid: string | undefined): void {
    if (gtid !== undefined) this.gtid = gtid;
  }

  /** The reader stands between two transactions. */
  mark(): void {
    if (this.boundary.offset === this.offset && this.boundary.file === this.file) return;
    const { file, offset, gtid } = this;
    this.boundary = gtid === undefined ? { file, offset } : { file, offset, gtid };
  }

  get lastBoundary(): BinlogPosition {
    return this.boundary;
  }
}
