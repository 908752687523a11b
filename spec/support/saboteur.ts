import type { Knex } from 'knex';
import type { Connection } from 'mysql2';

/** Rewrites a statement of the library on its way to the server. `locked`: the connection holds LOCK TABLES. */
export type Rewrite = (sql: string, locked: boolean) => string;

interface Driver {
  createConnection(options: object): Connection;
}

/**
 * Breaks one rule of the algorithm on purpose, at the wire, so that the product needs no switches for it: a gate
 * that has never failed proves nothing.
 */
export function sabotage(knex: Knex, rewrite: Rewrite): void {
  const client = knex.client as { driver: Driver };
  const { driver } = client;
  client.driver = {
    createConnection(options) {
      const connection = driver.createConnection(options);
      const send = connection.query.bind(connection) as (...given: unknown[]) => unknown;
      let locked = false;
      connection.query = ((sql: string, ...rest: unknown[]) => {
        if (/^LOCK TABLES/.test(sql)) locked = true;
        if (/^UNLOCK TABLES/.test(sql)) locked = false;
        return send(rewrite(sql, locked), ...rest);
      }) as typeof connection.query;
      return connection;
    },
  };
}

/** The journal is emptied up to a number instead of row by row: numbers become visible out of order. */
export const rangeDelete: Rewrite = (sql) => {
  if (!/^DELETE \S*_lhmj_\S* FROM \(SELECT/.test(sql)) return sql;
  const [table] = /`\S*_lhmj_\S*`/.exec(sql) ?? [''];
  const numbers = [...sql.matchAll(/SELECT (\d+)/g)].map(([, n]) => BigInt(n!));
  const last = numbers.reduce((a, b) => (a > b ? a : b), 0n);
  return `DELETE FROM ${table} WHERE hadron_action IS NOT NULL AND hadron_seq <= ${last}`;
};

/** Rows that collide are passed over in silence. */
export const insertIgnore: Rewrite = (sql, locked) =>
  /^INSERT INTO \S*_lhmn` /.test(sql) ? sql.replace(/^INSERT/, 'INSERT IGNORE') : blindToKeys(sql, locked);

/** The tables are swapped with changes still in the journal, and nothing looks whether there are any. */
export const renameBeforeLastDrain: Rewrite = (sql, locked) => {
  if (/^SELECT COUNT\(\*\) AS entries FROM \S*_lhmj_.*LOCK IN SHARE MODE$/.test(sql))
    return 'SELECT 0 AS entries';
  if (!locked) return sql;
  if (/^SELECT hadron_seq,.*_lhmj_/.test(sql)) return sql.replace('hadron_action IS NOT NULL', 'FALSE');
  return blindToKeys(sql, locked);
};

/** The look at the first and the last key, under the lock, would notice by itself; here the ledger has to. */
function blindToKeys(sql: string, locked: boolean): string {
  return locked
    ? sql.replace(/ ORDER BY (.* (?:ASC|DESC)) LIMIT 1$/, ' WHERE FALSE ORDER BY $1 LIMIT 1')
    : sql;
}
