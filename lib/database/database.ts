import type { ServerCapabilities } from './server-capabilities';
import type { Session } from './session';

/** The server that holds the table, as the library reaches it: own sessions, never the caller's pool. */
export interface Database {
  readonly server: ServerCapabilities;
  /** The schema the caller's connection uses; null when it names none. */
  readonly schema: string | null;
  /** The sql_mode the caller's sessions get from the server: what a native ALTER would run under. */
  readonly callerSqlMode: string;
  /** Opens one more session. `role` says what for, in logs. */
  open(role: string): Promise<Session>;
  /** Closes every session still open. Never rejects. */
  close(): Promise<void>;
}
