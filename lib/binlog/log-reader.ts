import type { BatchBuilder } from './batch-builder';
import { begunAnew, unreadable } from './binlog-errors';
import type { BinlogPosition } from './binlog-position';
import { CHECKSUM_BYTES, checksumFits, descriptionFits } from './checksum';
import { HEADER_BYTES, readHeader, standsInFile, type EventHeader } from './event-header';
import { EventType, mayBeIgnored, rowsKind, type RowsKind } from './event-types';
import { mariadbGtid, mysqlGtid } from './gtid';
import type { LogFiles } from './log-files';
import { LogPlace } from './log-place';
import { readPayload, type Payload } from './payload-event';
import { readQuery } from './query-event';
import { readRows, tableIdOf } from './rows-event';
import type { Rename, StreamedTables } from './streamed-tables';
import { TransactionState } from './transaction-state';
import { readXaPrepare } from './xid';

/** Number of a table that is none: its event only says that a statement ends. */
const NO_TABLE = 0xff_ffff;

/** In a description: when the server was started, in the first file since; 0 in all others. */
const CREATED_AT = HEADER_BYTES + 2 + 50;

/** What a statement renames and is to be followed. @param schema the default one of who ran it */
export type RenamesIn = (schema: string, sql: string) => readonly Rename[];

/** Makes of the events of the log, one after the other, what is told of them. Knows no connection. */
export class LogReader {
  private readonly place: LogPlace;
  private readonly transaction: TransactionState;
  private checksums = false;
  /** The server has ended the file; nothing more comes in it. */
  private fileEnded = false;
  /** The file before this one, when it has no end. */
  private unended: string | null = null;

  constructor(
    from: BinlogPosition,
    private readonly files: LogFiles,
    private readonly tables: StreamedTables,
    private readonly batch: BatchBuilder,
    private readonly renamesIn: RenamesIn = () => [],
  ) {
    this.place = new LogPlace(from);
    this.transaction = new TransactionState(this.place, (event) => batch.add(event));
    tables.forgetAll();
  }

  /** The end of the last transaction that was read to its end. */
  get boundary(): BinlogPosition {
    return this.place.lastBoundary;
  }

  /**
   * Takes in an event as the server sends it.
   *
   * @returns the transaction that it holds as a whole; its events are to be given to `inner`
   * @throws Refusal LHM_BINLOG_UNREADABLE
   */
  outer(event: Buffer): Payload | null {
    const header = readHeader(event);
    if (header.size !== event.length)
      throw unreadable(`an event of ${header.size} bytes came as ${event.length}.`);
    this.batch.count(event.length);
    if (header.timestamp !== 0) this.batch.timestamp = header.timestamp;
    switch (header.type) {
      case EventType.formatDescription:
        this.description(event);
        this.files.opened(this.place.inFile, header.timestamp);
        break;
      case EventType.rotate:
        this.rotate(event, header);
        return null;
    }
    const end = header.type === EventType.formatDescription ? event.length : this.verified(event);
    // Whoever begins again behind that end would not be told of it.
    if (header.type === EventType.stop) this.fileEnded = true;
    else this.place.pass(header);
    const payload = header.type === EventType.transactionPayload ? readPayload(event, end) : null;
    if (payload === null) this.read(event, header.type, header.flags, end);
    this.transaction.passed();
    return payload;
  }

  /** Takes in an event out of a compressed transaction: these have no checksum and no place of their own. */
  inner(event: Buffer): void {
    const { type, flags } = readHeader(event);
    this.batch.count(event.length);
    this.read(event, type, flags, event.length);
  }

  /** Where the event ends, without its checksum. */
  private verified(event: Buffer): number {
    if (!this.checksums) return event.length;
    if (!checksumFits(event)) throw unreadable('the checksum of an event is wrong.');
    return event.length - CHECKSUM_BYTES;
  }

  private description(event: Buffer): void {
    const algorithm = event[event.length - CHECKSUM_BYTES - 1] ?? 0;
    if (algorithm > 1) throw unreadable(`its checksums are of a kind that is not known (${algorithm}).`);
    this.checksums = algorithm === 1;
    if (this.checksums && !descriptionFits(event)) throw unreadable('the checksum of an event is wrong.');
    // A server goes on so only when it is started. Otherwise this is the second file of another log, whose first was not read:
    // a server reads on in a file that it has removed.
    if (this.unended !== null && event.readUInt32LE(CREATED_AT) === 0) throw begunAnew(this.unended);
    this.unended = null;
    this.tables.forgetAll();
    this.transaction.breakOff();
  }

  /** One that the server made up may come before it has told whether there are checksums, and with either. */
  private rotate(event: Buffer, header: EventHeader): void {
    const fits = checksumFits(event);
    if (!fits && this.checksums && standsInFile(header))
      throw unreadable('the checksum of an event is wrong.');
    const file = event.toString('utf8', HEADER_BYTES + 8, event.length - (fits ? CHECKSUM_BYTES : 0));
    const started = file !== this.place.inFile && !standsInFile(header);
    const crashed = !this.fileEnded;
    this.fileEnded = false;
    this.unended = started && crashed ? this.place.inFile : null;
    this.place.rotate(file, Number(event.readBigUInt64LE(HEADER_BYTES)));
    this.transaction.passed();
    if (standsInFile(header)) this.batch.add({ kind: 'rotate', position: this.boundary });
    if (started) this.batch.add({ kind: 'started', file, crashed });
  }

  private read(event: Buffer, type: number, flags: number, end: number): void {
    const rows = rowsKind(type);
    if (rows !== undefined) {
      this.rows(event, end, rows);
      return;
    }
    switch (type) {
      case EventType.tableMap: {
        const altered = this.tables.map(tableIdOf(event), event, end);
        if (altered !== null) this.batch.add({ kind: 'altered', ...altered });
        break;
      }
      case EventType.query:
        this.statement(readQuery(event, end));
        break;
      case EventType.compressedQuery:
        this.statement(readQuery(event, end, { compressed: true }));
        break;
      case EventType.executeLoadQuery:
        this.statement(readQuery(event, end, { load: true }));
        break;
      case EventType.xid:
        this.transaction.end('commit');
        this.tables.forgetSome();
        break;
      case EventType.xaPrepare: {
        const { xid, onePhase } = readXaPrepare(event.subarray(HEADER_BYTES, end));
        if (onePhase) this.transaction.end('commit');
        else this.transaction.prepare(xid);
        break;
      }
      case EventType.gtid:
        this.transaction.announce(mysqlGtid(event));
        break;
      case EventType.anonymousGtid:
      case EventType.taggedGtid:
        this.transaction.announce(undefined);
        break;
      case EventType.mariadbGtid: {
        const { gtid, standalone } = mariadbGtid(event);
        this.transaction.announce(gtid);
        if (!standalone) this.transaction.open();
        break;
      }
      case EventType.heartbeat:
      case EventType.heartbeatV2:
        this.batch.add({ kind: 'heartbeat' });
        break;
      case EventType.formatDescription:
        break;
      case EventType.incident:
        throw unreadable('the server says that changes are missing in it (an incident).');
      default:
        if (!mayBeIgnored(type, flags))
          throw unreadable(`it holds an event of a kind that is not known (${type}).`);
    }
  }

  private statement({ schema, sql }: { schema: string; sql: string }): void {
    this.transaction.statement(schema, sql);
    for (const rename of this.renamesIn(schema, sql)) this.tables.rename(rename, this.boundary);
  }

  private rows(event: Buffer, end: number, kind: RowsKind): void {
    const id = tableIdOf(event);
    const layout = this.tables.layout(id);
    if (layout === undefined && id !== NO_TABLE) throw unreadable('rows come without a table map.');
    const shapes = this.tables.shapes(id);
    if (layout === undefined || layout === null || shapes === null) return;
    this.transaction.begin();
    const rows = readRows(event, end, kind, layout, shapes);
    this.batch.add({ kind: 'rows', table: layout.key, action: kind.action, rows }, end);
  }
}
