/** What the connected server can do: flavor and version are looked at here and nowhere else. */
export interface ServerCapabilities {
  readonly flavor: 'mysql' | 'mariadb';
  /** As the server says it. */
  readonly version: string;
  readonly supported: boolean;
  /** RENAME of tables held by LOCK TABLES … WRITE on the same connection. */
  readonly renameUnderLock: boolean;
  /**
   * An INSTANT column added and dropped makes older read views fail with 1412 instead of reading the ghost's past.
   * 8.0.29 to 8.0.31 have INSTANT DROP COLUMN, but with known corruptions.
   */
  readonly instantDropColumn: boolean;
  /** CHECK constraint names are unique in the schema, so a clone cannot carry the origin's. */
  readonly checkNamesAreGlobal: boolean;
  /** An ALTER may write expressions of the definition otherwise than they were. */
  readonly foldsExpressions: boolean;
  /** Histograms belong to the table, and are made by ANALYZE TABLE … UPDATE HISTOGRAM. */
  readonly histograms: boolean;
  /** CREATE TABLE takes a TABLESPACE. Without one an ALTER leaves a table in its own file, whatever new ones get. */
  readonly namesTablespaces: boolean;
  /** A prepared XA transaction no longer holds its tables after a restart. */
  readonly preparedXaLosesLocks: boolean;
  /** performance_schema numbers the statements that took the locks it lists, so that two locks can be told apart. */
  readonly countsLocks: boolean;
  /** Triggers that are created at the same time leave files behind. */
  readonly triggersLeaveFiles: boolean;
  /** What lets an account create triggers that run as another one. */
  readonly anyDefinerPrivilege: string;
  /** INSERT … SELECT stores the text '12.7' in an integer column as 13, where an ALTER refuses it. */
  readonly roundsTextToIntegers: boolean;
  /** Session variable that limits a statement's run time; 0 switches it off. */
  readonly statementTimeoutVariable: string;
}

/** Reads flavor and version out of `VERSION()`. */
export function serverCapabilities(version: string): ServerCapabilities {
  // A MariaDB behind old protocols calls itself 5.5.5-10.11.6-MariaDB.
  const mariadb = /mariadb/i.test(version);
  const numbers = version.replace(/^5\.5\.5-(?=\d+\.)/, '').match(/^(\d+)\.(\d+)\.(\d+)/);
  const [major, minor, patch] = [1, 2, 3].map((group) => Number(numbers?.[group] ?? 0)) as [
    number,
    number,
    number,
  ];
  const number = major * 1_000_000 + minor * 1000 + patch;
  return {
    flavor: mariadb ? 'mariadb' : 'mysql',
    version,
    supported: mariadb ? number >= 10_005_000 : number >= 8_000_013,
    renameUnderLock: !mariadb && number >= 8_000_013,
    instantDropColumn: !mariadb && number >= 8_000_032,
    checkNamesAreGlobal: !mariadb,
    foldsExpressions: !mariadb,
    histograms: !mariadb,
    namesTablespaces: !mariadb,
    preparedXaLosesLocks: mariadb,
    countsLocks: !mariadb,
    triggersLeaveFiles: mariadb,
    anyDefinerPrivilege: mariadb ? 'SET USER' : number >= 8_002_000 ? 'SET_ANY_DEFINER' : 'SET_USER_ID',
    roundsTextToIntegers: mariadb,
    statementTimeoutVariable: mariadb ? 'max_statement_time' : 'max_execution_time',
  };
}
