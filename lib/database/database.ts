import type { ServerCapabilities } from './server-capabilities';
import type { Session } from './session';
import type { Wire } from './wire';

/** The server that holds the table, as the library reaches it: own sessions, never the caller's pool. */
export interface Database {
  readonly server: ServerCapabilities;
  /** The schema the caller's connection uses; null when it names none. */
  readonly schema: string | null;
  /** The sql_mode the caller's sessions get from the server: what a native ALTER would run under. */
  readonly callerSqlMode: string;
  /** The time zone of the caller's sessions, in which the library's own run as well: conversions depend on it. */
  readonly timeZone: string;
  /** Whether an hour may come twice in it, so that a TIMESTAMP's text does not tell which one is meant. */
  readonly clocksGoBack: boolean;
  /** Whether names of tables and schemas are the same whatever the case (`lower_case_table_names` 1 and 2). */
  readonly foldsTableNames: boolean;
  /** Lets every session, those to come included, run in another time zone. */
  useTimeZone(timeZone: string): Promise<void>;
  /** Gives a session the library's own settings back, after statements of the user's ran on it. */
  restore(session: Session): Promise<void>;
  /** Connects to another server with the same account. The caller closes it. */
  elsewhere(host: string, port: number): Promise<Database>;
  /** Opens one more session. `role` says what for, in logs. */
  open(role: string): Promise<Session>;
  /**
   * Opens a connection to be taken over on the protocol's own level. It is not among the sessions: it gets no new time zone,
   * is not reopened, and nobody waits for its end. Its owner, or `close`, cuts it.
   */
  openWire(role: string): Promise<Wire>;
  /**
   * Connects once more, to see whether new connections still lead to the server that the sessions are on.
   *
   * @throws Refusal LHM_NOT_ONE_SERVER
   */
  meetAgain(): Promise<void>;
  /** Gives a session whose connection was lost a new one, with a new id, and the library's settings. */
  reopen(session: Session): Promise<void>;
  /**
   * Waits until every connection that was lost so far has ended on the server as well: only then is what the server
   * shows the outcome of what they were doing.
   *
   * @throws ConnectionDoesNotEnd
   */
  endLost(looker: Session): Promise<void>;
  /** Ids of all sessions opened so far. */
  readonly connections: readonly number[];
  /** Closes every session still open. Never rejects. */
  close(): Promise<void>;
}
