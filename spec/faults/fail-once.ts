import type { Knex } from 'knex';
import type { Connection, QueryError } from 'mysql2';

/**
 * What becomes of a statement: it is held back; the server answers with an error; its connection is lost before it or
 * after it; or all of the library's connections are, for good, as when its machine is gone.
 */
export const FAULTS = ['delay', 'error', 'cut before', 'cut after', 'dead before', 'dead after'] as const;
/**
 * `killed`: as after KILL QUERY, by which the statement has done nothing, but the connection lives. `deadlock`: somebody
 * else goes first, and it has done nothing either.
 */
export type Fault = (typeof FAULTS)[number] | 'killed' | 'deadlock';

export interface FailOnceOptions {
  /** The place to fail at, as `places` tells them; null only records. */
  readonly place: string | null;
  readonly fault: Fault;
  /** Ends connections on the server, and resolves when they are gone. */
  readonly kill: (connectionIds: readonly number[]) => Promise<void>;
  /** What the application does just there; must not wait for the library. */
  readonly meanwhile?: () => Promise<void>;
  /** Statements count from when this says so. Default: all. */
  readonly counts?: () => boolean;
}

export interface FailOnce {
  /** Every place that was passed: which connection, its statement before, and its statement. */
  readonly places: ReadonlySet<string>;
  /** The statement that was made to fail. */
  readonly struck: string | null;
}

type Callback = (error: QueryError | null, ...rest: unknown[]) => void;
type Query = (sql: string, values: unknown[], callback: Callback) => unknown;

/** The server itself answers: nothing of the statement is done. */
const SIGNAL = "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1105, MESSAGE_TEXT = 'failed on purpose'";

const KILLED =
  "SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1317, MESSAGE_TEXT = 'Query execution was interrupted'";

const DEADLOCK =
  "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found when trying to get lock'";

const INSTEAD: Partial<Record<Fault, string>> = { error: SIGNAL, killed: KILLED, deadlock: DEADLOCK };

/** Nobody listens on port 1. */
const NOWHERE = { host: '127.0.0.1', port: 1, socketPath: undefined };

/** What the driver says when the server has closed the connection. */
export function lost(): QueryError {
  const message = 'Connection lost: The server closed the connection.';
  return Object.assign(new Error(message), { fatal: true, code: 'PROTOCOL_CONNECTION_LOST' });
}

/**
 * Makes one statement of the library fail, the first at a given place; all others are let pass. A place is a
 * statement without its numbers, together with the one before it on the same connection: a COMMIT after a chunk is
 * another one than a COMMIT under the lock.
 */
export function failOnce(knex: Knex, options: FailOnceOptions): FailOnce {
  const { place, fault, kill, meanwhile = nothing, counts = () => true } = options;
  const client = knex.client as { driver: { createConnection(options: object): Connection } };
  const { driver } = client;
  const places = new Set<string>();
  const state: { places: Set<string>; struck: string | null } = { places, struck: null };
  const made: Connection[] = [];
  let dead = false;

  /** Takes the connection away, or all there are and will be. */
  const cut = async (connection: Connection): Promise<void> => {
    dead = fault.startsWith('dead');
    await kill((dead ? made : [connection]).map(({ threadId }) => threadId).filter((id) => id > 0));
  };

  client.driver = {
    ...driver,
    createConnection: (settings: object) => {
      const connection = driver.createConnection(dead ? { ...settings, ...NOWHERE } : settings);
      const send = connection.query.bind(connection) as unknown as Query;
      const ordinal = made.push(connection);
      let before = 'connect';
      const strike = async (sql: string, values: unknown[], callback: Callback): Promise<void> => {
        await meanwhile();
        if (fault.endsWith('before')) await cut(connection);
        const instead = INSTEAD[fault];
        const [text, given] = instead === undefined ? [sql, values] : [instead, []];
        send(text, given, (...answer) => {
          if (fault === 'delay') void meanwhile().then(() => callback(...answer), callback);
          else if (fault.endsWith('after')) void cut(connection).then(() => callback(lost()), callback);
          else callback(...answer);
        });
      };
      const query: Query = (sql, values, callback) => {
        const shape = withoutNumbers(sql);
        const here = `${ordinal}: ${before} › ${shape}`;
        before = shape;
        if (!counts()) return send(sql, values, callback);
        places.add(here);
        if (here !== place || state.struck !== null) return send(sql, values, callback);
        state.struck = sql;
        return void strike(sql, values, callback).catch((error: unknown) => callback(error as QueryError));
      };
      connection.query = query as unknown as Connection['query'];
      return connection;
    },
  };
  return state;
}

const nothing = (): Promise<void> => Promise.resolve();

/** What two runs of the same migration have in common. */
function withoutNumbers(sql: string): string {
  return (
    sql
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'U')
      .replace(/X'[0-9a-f]*'/gi, 'X')
      .replace(/lhm_test_\d+_\d+/g, 'db')
      .replace(/'\d{4}-\d\d-\d\dT[\d:.]+Z'/g, 'T')
      .replace(/\d+/g, 'N')
      .replace(/N(?:, N)+/g, 'N')
      .replace(/(?: UNION ALL SELECT N)+/g, '')
      .replace(/\s+/g, ' ')
      // As many keys as there are at the moment.
      .replace(/(?<=^INSERT INTO \S+_lhmj_\S+ \(hadron_action, .*\) VALUES ).*/, '…')
  );
}
