/** What mysql2 returns for a statement that changes something. */
export interface WriteResult {
  readonly affectedRows: number;
  readonly warningStatus: number;
  readonly info: string;
}

export type Row = Record<string, unknown>;

/**
 * One pinned connection to the server: every statement of the library passes through one of these, in order.
 *
 * Values come back exact: integers beyond 2^53, decimals, dates and JSON are strings.
 */
export interface Session {
  /** The server's connection id: what KILL takes and the process list shows. */
  readonly id: number;
  /** Name of a lock that the server holds for this connection and for as long as it lasts; null before it is ready. */
  readonly lifeLock: string | null;
  /** What the session is for, in logs and errors: `work`, `owner`, `locker` … */
  readonly role: string;
  /** Runs a query and returns its rows. `values` fill `?` placeholders. */
  query<R = Row>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  /** Runs a statement that changes something. */
  execute(sql: string, values?: readonly unknown[]): Promise<WriteResult>;
  /** Runs a statement and returns exactly what the driver gave: `[rows or header, fields]`, for Knex. */
  raw(sql: string, values?: readonly unknown[]): Promise<[unknown, unknown]>;
  /** Most bytes that the server takes in one statement (`max_allowed_packet`). */
  readonly maxPacket: number;
  /** Whether the connection is known to be gone. */
  readonly lost: boolean;
  /** Says goodbye to the server. Never rejects. */
  close(): Promise<void>;
}
