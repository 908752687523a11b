import type { Database } from '../../database/database';
import type { ReadOnlySwitch } from '../../database/read-only';

/** How the binary log is read, and for how long a lost server is waited for. */
export interface BinlogSourceOptions {
  /** The replica whose log is read; null for the server's own. */
  readonly replica: Database | null;
  /** How late changes may be at most for the tables ever to be swapped, in ms. */
  readonly mostDelayMs: number;
  /** By what the migration is stopped at this moment. */
  readonly stoppedBy: () => AbortSignal;
  /** Told what the migration waits for, in words; null when it does not any more. */
  readonly waiting: (reason: string | null) => void;
  readonly warn: (message: string) => void;
  /** Known to the server by it; false for a random one that is free. */
  readonly serverId: number | false;
  /** How often a mark is written while nothing else asks for one, in ms. */
  readonly heartbeatMs: number;
  /** How long a server that does not answer is waited for, in ms. */
  readonly reconnectMs: number;
  /** The switch after which no more marks are written. */
  readonly readOnly: ReadOnlySwitch;
  /** How many keys one statement may list. */
  readonly keysAtOnce: () => number;
  /** Whether the tables may change places and back again, so that the log must be followed beyond that. */
  readonly takesBackRenames: boolean;
}
