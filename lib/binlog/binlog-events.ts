import type { BinlogPosition } from './binlog-position';
import type { RowsAction } from './event-types';

/**
 * A column's value as a literal of SQL, which gives exactly the stored value again when it is inserted into a column of the
 * same type, character set and collation. null is NULL; undefined: the row image lacks the column.
 */
export type Value = string | null | undefined;

/** The wanted columns of one row, in the order in which they were asked for. */
export interface RowImages {
  /** Of an update or delete. */
  readonly before?: readonly Value[];
  /** Of an insert or update. */
  readonly after?: readonly Value[];
}

/**
 * What the log tells, in its order. Of transactions without a wanted row or a statement nothing is told.
 *
 * Row events of a transaction stand between `begin` and its end: `commit`, `rollback` or `xa-prepare`. Statements stand there
 * too, when they are changes in statement format; definitions of tables and the like stand by themselves.
 */
export type BinlogEvent =
  /** `position`: where the transaction begins. */
  | { readonly kind: 'begin'; readonly position: BinlogPosition }
  | {
      readonly kind: 'rows';
      /** `key` of the table. */
      readonly table: string;
      readonly action: RowsAction;
      readonly rows: readonly RowImages[];
    }
  /** Also of an XA transaction in one phase. `position`: behind it, here and below. */
  | {
      readonly kind: 'commit';
      readonly position: BinlogPosition;
      /**
       * It ends with a statement. So MariaDB writes it when an engine took part that cannot commit in two phases, be it that
       * an Aria table was read: then it is seen some time later, in no order with others.
       */
      readonly byStatement?: true;
    }
  /** Changes that cannot be rolled back were in it, or the server broke off within it: the rows may have been changed. */
  | { readonly kind: 'rollback'; readonly position: BinlogPosition }
  /** A savepoint was gone back to, and rows of it are in the log all the same: some of those since `begin` were not changed. */
  | { readonly kind: 'taken-back' }
  /** The rows since `begin`, if there were any, belong to nobody until the same `xid` (`X'6162',X'',1`) is committed or rolled back. */
  | { readonly kind: 'xa-prepare'; readonly xid: string; readonly position: BinlogPosition }
  | { readonly kind: 'xa-commit'; readonly xid: string; readonly position: BinlogPosition }
  | { readonly kind: 'xa-rollback'; readonly xid: string; readonly position: BinlogPosition }
  /** `schema`: the default one of who ran it. `position` is null within a transaction. */
  | {
      readonly kind: 'statement';
      readonly schema: string;
      readonly sql: string;
      readonly position: BinlogPosition | null;
    }
  /** The table is no longer what it was; its rows are not told from here on. */
  | { readonly kind: 'altered'; readonly table: string; readonly difference: string }
  /** Nothing happened for a while. */
  | { readonly kind: 'heartbeat' }
  /** The log goes on in another file. */
  | { readonly kind: 'rotate'; readonly position: BinlogPosition }
  /**
   * Likewise, because the server was started anew, with this file. `crashed`: the file before was never ended, and what was
   * logged last may be missing there.
   */
  | ({ readonly kind: 'started' } & ServerStart);

export interface ServerStart {
  readonly file: string;
  readonly crashed: boolean;
}

export interface BinlogBatch {
  /** May be empty: only the position has moved. */
  readonly events: readonly BinlogEvent[];
  /** Rows in all of them. */
  readonly rows: number;
  /** Where to start again once the batch is dealt with: the end of the last transaction that ended in it or before. */
  readonly position: BinlogPosition;
  /** When the last event was made, by the server's clock, in seconds since 1970; 0 when that is not known yet. */
  readonly timestamp: number;
}
