/** How the binary log is read, and for how long a lost server is waited for. */
export interface BinlogSourceOptions {
  /** Known to the server by it; false for a random one that is free. */
  readonly serverId: number | false;
  /** How often a mark is written while nothing else asks for one, in ms. */
  readonly heartbeatMs: number;
  /** How long a server that does not answer is waited for, in ms. */
  readonly reconnectMs: number;
  /** How many keys one statement may list. */
  readonly keysAtOnce: () => number;
  /** Whether the tables may change places and back again, so that the log must be followed beyond that. */
  readonly takesBackRenames: boolean;
}
