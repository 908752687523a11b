import type { Knex } from 'knex';
import type { Connection, QueryError } from 'mysql2';

/** How a statement fails: the server answers with an error, or the connection is lost before it or after it. */
export const FAULTS = ['error', 'cut before', 'cut after'] as const;
/** `killed`: as after KILL QUERY, with which the statement has done nothing, but the connection lives. */
export type Fault = (typeof FAULTS)[number] | 'killed';

export interface FailOnceOptions {
  /** The place to fail at, as `places` tells them; null only records. */
  readonly place: string | null;
  readonly fault: Fault;
  /** Ends a connection on the server, and resolves when it is gone. */
  readonly kill: (connectionId: number) => Promise<void>;
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
export function failOnce(knex: Knex, { place, fault, kill, counts = () => true }: FailOnceOptions): FailOnce {
  const client = knex.client as { driver: { createConnection(options: unknown): Connection } };
  const { driver } = client;
  const places = new Set<string>();
  const state: { places: Set<string>; struck: string | null } = { places, struck: null };
  let connections = 0;
  client.driver = {
    ...driver,
    createConnection: (options: unknown) => {
      const connection = driver.createConnection(options);
      const send = connection.query.bind(connection) as unknown as Query;
      const ordinal = ++connections;
      let before = 'connect';
      const query: Query = (sql, values, callback) => {
        const shape = withoutNumbers(sql);
        const here = `${ordinal}: ${before} › ${shape}`;
        before = shape;
        if (!counts()) return send(sql, values, callback);
        places.add(here);
        if (here !== place || state.struck !== null) return send(sql, values, callback);
        state.struck = sql;
        if (fault === 'error') return send(SIGNAL, [], callback);
        if (fault === 'killed') return send(KILLED, [], callback);
        const cut = (): Promise<void> => kill(connection.threadId);
        const failed = (error: unknown): void => callback(error as QueryError);
        if (fault === 'cut before') {
          // In braces: what the driver returns has a `then` that must not be called.
          return void cut().then(() => {
            send(sql, values, callback);
          }, failed);
        }
        return send(sql, values, () => void cut().then(() => callback(lost()), failed));
      };
      connection.query = query as unknown as Connection['query'];
      return connection;
    },
  };
  return state;
}

/** What two runs of the same migration have in common. */
function withoutNumbers(sql: string): string {
  return sql
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'U')
    .replace(/X'[0-9a-f]*'/gi, 'X')
    .replace(/lhm_test_\d+_\d+/g, 'db')
    .replace(/'\d{4}-\d\d-\d\dT[\d:.]+Z'/g, 'T')
    .replace(/\d+/g, 'N')
    .replace(/N(?:, N)+/g, 'N')
    .replace(/(?: UNION ALL SELECT N)+/g, '')
    .replace(/\s+/g, ' ');
}
