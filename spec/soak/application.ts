/** What works on the migrated table meanwhile, and knows in the end what must be there. */
export interface Application {
  /** Makes the tables and fills them, in a database that there is not yet. */
  prepare(): Promise<void>;
  start(): Promise<void>;
  /** Ends all work and compares every row. */
  stop(): Promise<Verdict>;
}

export interface Verdict {
  /** Transactions that were acknowledged. */
  readonly transactions: number;
  /** Rows that were compared. */
  readonly rows: number;
  readonly problems: readonly string[];
}
