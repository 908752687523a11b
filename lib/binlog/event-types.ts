/** Kinds of events in the binary log that mean something here; MariaDB's own begin with 160. */
export const EventType = {
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  rand: 13,
  userVar: 14,
  formatDescription: 15,
  xid: 16,
  beginLoadQuery: 17,
  executeLoadQuery: 18,
  tableMap: 19,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRows: 30,
  updateRows: 31,
  deleteRows: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  transactionContext: 36,
  viewChange: 37,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeatV2: 41,
  taggedGtid: 42,
  annotateRows: 160,
  binlogCheckpoint: 161,
  mariadbGtid: 162,
  mariadbGtidList: 163,
  startEncryption: 164,
  compressedQuery: 165,
  compressedWriteRowsV1: 166,
  compressedUpdateRowsV1: 167,
  compressedDeleteRowsV1: 168,
  compressedWriteRows: 169,
  compressedUpdateRows: 170,
  compressedDeleteRows: 171,
} as const;

/** Known, and without meaning for who wants rows: they must not be taken for something that was missed. */
const MEANINGLESS: ReadonlySet<number> = new Set([
  EventType.stop,
  EventType.intvar,
  EventType.rand,
  EventType.userVar,
  EventType.beginLoadQuery,
  // Pieces of a file that a statement loads.
  9,
  11,
  EventType.ignorable,
  EventType.rowsQuery,
  EventType.previousGtids,
  EventType.transactionContext,
  EventType.viewChange,
  EventType.annotateRows,
  EventType.binlogCheckpoint,
  EventType.mariadbGtidList,
  EventType.startEncryption,
]);

/** The server says: who does not know this event may pass over it. */
const IGNORABLE_FLAG = 0x80;

export function mayBeIgnored(type: number, flags: number): boolean {
  return MEANINGLESS.has(type) || (flags & IGNORABLE_FLAG) !== 0;
}

export type RowsAction = 'insert' | 'update' | 'delete';

export interface RowsKind {
  readonly action: RowsAction;
  /** Has a length and extra data after the flags. */
  readonly extra: boolean;
  /** MariaDB's log_bin_compress. */
  readonly compressed: boolean;
  /** May hold differences of JSON values in place of the values. */
  readonly partial: boolean;
}

const ACTIONS = ['insert', 'update', 'delete'] as const;
const kinds: (RowsKind | undefined)[] = [];
for (const [index, action] of ACTIONS.entries()) {
  const plain = { action, extra: false, compressed: false, partial: false };
  kinds[EventType.writeRowsV1 + index] = plain;
  kinds[EventType.writeRows + index] = { ...plain, extra: true };
  kinds[EventType.compressedWriteRowsV1 + index] = { ...plain, compressed: true };
  kinds[EventType.compressedWriteRows + index] = { ...plain, extra: true, compressed: true };
}
kinds[EventType.partialUpdateRows] = { action: 'update', extra: true, compressed: false, partial: true };

/** What kind of rows event it is; undefined for any other event. */
export function rowsKind(type: number): RowsKind | undefined {
  return kinds[type];
}
