import type { BinlogEvent } from './binlog-events';
import type { LogPlace } from './log-place';
import { readXaStatement } from './xid';

type Tell = (event: BinlogEvent) => void;

/** Statements within a transaction that change no row. */
const SAVEPOINT = /^\s*(?:SAVEPOINT|ROLLBACK\s+TO|RELEASE\s+SAVEPOINT)\b/i;
const TAKEN_BACK = /^\s*ROLLBACK\s+TO\b/i;

/** CREATE TABLE … SELECT, of which the rows follow. */
const ROWS_FOLLOW = /\bSTART\s+TRANSACTION\s*$/i;

/**
 * Which transaction the reader is in. Its beginning is told only once there is something to tell of it: nearly all transactions
 * are about other tables.
 */
export class TransactionState {
  /** `announced`: its name was read, and not yet whether it is a transaction or a statement by itself. */
  private state: 'between' | 'announced' | 'open' = 'between';
  private told = false;

  constructor(
    private readonly place: LogPlace,
    private readonly tell: Tell,
  ) {}

  /** Behind every event that stands for itself. */
  passed(): void {
    if (this.state === 'between') this.place.mark();
  }

  announce(gtid: string | undefined): void {
    this.breakOff();
    this.place.name(gtid);
    this.state = 'announced';
  }

  open(): void {
    this.state = 'open';
  }

  /** Before anything of it is told. */
  begin(): void {
    this.state = 'open';
    if (this.told) return;
    this.told = true;
    this.tell({ kind: 'begin', position: this.place.lastBoundary });
  }

  end(kind: 'commit' | 'rollback', byStatement = false): void {
    this.close();
    if (!this.told) return;
    this.told = false;
    const position = this.place.lastBoundary;
    this.tell(kind === 'commit' && byStatement ? { kind, position, byStatement } : { kind, position });
  }

  /** Told in any case: what it stands for may have been read before the stream began, or not been wanted. */
  prepare(xid: string): void {
    this.close();
    this.told = false;
    this.tell({ kind: 'xa-prepare', xid, position: this.place.lastBoundary });
  }

  statement(schema: string, sql: string): void {
    if (this.state === 'open') this.inner(schema, sql);
    else this.outer(schema, sql);
  }

  /** The log was broken off within a transaction: the server ended without finishing it. */
  breakOff(): void {
    if (this.state === 'open') this.end('rollback');
    this.state = 'between';
  }

  private close(): void {
    this.state = 'between';
    this.place.mark();
  }

  private inner(schema: string, sql: string): void {
    if (sql === 'COMMIT') this.end('commit', true);
    else if (sql === 'ROLLBACK') this.end('rollback');
    else if (this.told && TAKEN_BACK.test(sql)) this.tell({ kind: 'taken-back' });
    else if (sql === 'BEGIN' || SAVEPOINT.test(sql)) return;
    else if (!this.xa(sql)) {
      this.begin();
      this.tell({ kind: 'statement', schema, sql, position: null });
    }
  }

  private outer(schema: string, sql: string): void {
    if (sql === 'BEGIN') this.state = 'open';
    else if (!this.xa(sql)) {
      if (ROWS_FOLLOW.test(sql)) {
        this.begin();
        this.tell({ kind: 'statement', schema, sql, position: null });
        return;
      }
      this.close();
      this.tell({ kind: 'statement', schema, sql, position: this.place.lastBoundary });
    }
  }

  /** Whether it is a statement of a distributed transaction. */
  private xa(sql: string): boolean {
    const statement = readXaStatement(sql);
    if (statement === null) return false;
    const { verb, xid, onePhase } = statement;
    switch (verb) {
      case 'start':
        this.state = 'open';
        break;
      case 'end':
        break;
      case 'prepare':
        this.prepare(xid);
        break;
      case 'commit':
      case 'rollback':
        if (onePhase) this.end(verb);
        else this.endPrepared(verb, xid);
    }
    return true;
  }

  /** May stand in an event group of its own that a name has opened. */
  private endPrepared(verb: 'commit' | 'rollback', xid: string): void {
    this.close();
    this.told = false;
    this.tell({
      kind: verb === 'commit' ? 'xa-commit' : 'xa-rollback',
      xid,
      position: this.place.lastBoundary,
    });
  }
}
