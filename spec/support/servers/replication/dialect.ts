import { isAtLeast } from '../local/program-version';
import type { Connection, RunningServer } from '../types';

/** MySQL renamed all the words of replication; MariaDB kept them. */
export interface Dialect {
  readonly changeSource: (source: Connection, file: string, position: number) => string;
  readonly start: string;
  readonly status: string;
  /** The columns of the status begin with this. */
  readonly replica: 'Replica' | 'Slave';
  /** Waits for a file and a position, for so many seconds: below 0 is "not yet", NULL is "not running". */
  readonly wait: string;
  /** The first that the server knows. */
  readonly position: readonly string[];
}

const account = (word: string, { host, port, user, password }: Connection): string =>
  `${word}_HOST = '${host}', ${word}_PORT = ${port}, ${word}_USER = '${user}', ${word}_PASSWORD = '${password}', ` +
  // A primary that was killed is there again within the second.
  `${word}_CONNECT_RETRY = 1`;

const NEW_WORDS: Dialect = {
  // Without TLS, the password of an account may only be sent under the public key of the server.
  changeSource: (source, file, position) =>
    `CHANGE REPLICATION SOURCE TO ${account('SOURCE', source)}, GET_SOURCE_PUBLIC_KEY = 1, ` +
    `SOURCE_LOG_FILE = '${file}', SOURCE_LOG_POS = ${position}`,
  start: 'START REPLICA',
  status: 'SHOW REPLICA STATUS',
  replica: 'Replica',
  wait: 'SELECT SOURCE_POS_WAIT(?, ?, ?) AS waited',
  position: ['SHOW BINARY LOG STATUS', 'SHOW MASTER STATUS'],
};

const OLD_WORDS: Dialect = {
  changeSource: (source, file, position) =>
    `CHANGE MASTER TO ${account('MASTER', source)}, MASTER_LOG_FILE = '${file}', MASTER_LOG_POS = ${position}`,
  start: 'START SLAVE',
  status: 'SHOW SLAVE STATUS',
  replica: 'Slave',
  wait: 'SELECT MASTER_POS_WAIT(?, ?, ?) AS waited',
  position: ['SHOW MASTER STATUS'],
};

/** MySQL before 8.0.26 has only the old words. */
export const dialectOf = ({ flavor, version }: RunningServer): Dialect =>
  flavor === 'mysql' && isAtLeast(version, [8, 0, 26]) ? NEW_WORDS : OLD_WORDS;
