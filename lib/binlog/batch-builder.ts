import type { BinlogBatch, BinlogEvent } from './binlog-events';
import type { BinlogPosition } from './binlog-position';

/** Bytes of the rows in a batch, as the log has them, after which it is full. */
const MOST_BYTES = 1024 * 1024;
const MOST_EVENTS = 2000;

/** Collects what is told until somebody takes it. */
export class BatchBuilder {
  private events: BinlogEvent[] = [];
  private rows = 0;
  private bytes = 0;
  private read = 0;
  timestamp = 0;

  constructor(private readonly mostRows: number) {}

  add(event: BinlogEvent, bytes = 0): void {
    this.events.push(event);
    this.bytes += bytes;
    if (event.kind === 'rows') this.rows += event.rows.length;
  }

  /** Another event of the log was dealt with, whether or not anything of it is told. */
  count(bytes: number): void {
    this.read += bytes;
  }

  get full(): boolean {
    return (
      this.rows >= this.mostRows ||
      this.bytes >= MOST_BYTES ||
      this.events.length >= MOST_EVENTS ||
      this.read >= 4 * MOST_BYTES
    );
  }

  /** Nothing was read since the last batch. */
  get empty(): boolean {
    return this.read === 0;
  }

  take(position: BinlogPosition): BinlogBatch {
    const batch = { events: this.events, rows: this.rows, position, timestamp: this.timestamp };
    this.events = [];
    this.rows = 0;
    this.bytes = 0;
    this.read = 0;
    return batch;
  }
}
