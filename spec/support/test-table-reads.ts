import type { Knex } from 'knex';
import type { QueryError, RowDataPacket } from 'mysql2';

import { aroundQueries, type Query } from './test-table-statements';

/** What one statement of the library read. */
export interface StatementReads {
  readonly sql: string;
  /** Rows and index entries that the storage engine was asked for. */
  readonly reads: number;
}

const STATUS = "SHOW SESSION STATUS LIKE 'Handler\\_read%'";

/**
 * Counts what the library's statements that match read, by the server's own handler counters. Only for statements
 * outside LOCK TABLES. Index condition pushdown must be off: rows that InnoDB itself passes over are not counted.
 */
export function measureReads(knex: Knex, match: RegExp): StatementReads[] {
  const measured: StatementReads[] = [];
  aroundQueries(knex, (query) => {
    let overhead: Promise<number> | undefined;
    const counter = (): Promise<number> => readCounter(query);
    // Showing the counters counts, too: always the same.
    const calibrate = async (): Promise<number> => {
      const first = await counter();
      return (await counter()) - first;
    };
    return (sql, values, callback) => {
      if (!match.test(sql)) return query(sql, values, callback);
      const fail = (error: unknown): void => callback(error as QueryError);
      overhead ??= calibrate();
      return overhead.then(async (own) => {
        const before = await counter();
        query(sql, values, (...answer) => {
          counter().then((after) => {
            measured.push({ sql, reads: after - before - own });
            callback(...answer);
          }, fail);
        });
      }, fail);
    };
  });
  return measured;
}

function readCounter(query: Query): Promise<number> {
  return new Promise((resolve, reject) => {
    query(STATUS, [], (error, rows) => {
      if (error !== null) reject(error);
      else resolve((rows as RowDataPacket[]).reduce((sum, row) => sum + Number(row['Value']), 0));
    });
  });
}
