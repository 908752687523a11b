import type { Database } from '../database/database';
import { connectDatabase } from '../database/mysql-database';
import { Refusal, type LargeHadronError } from '../errors';
import type { ResolvedOptions } from '../options/options';
import { resolveOptions } from '../options/resolve-options';
import { connectSource } from '../replication/connect-source';
import { calledTable } from '../schema/called-table';
import { parseTableName, type TableName } from '../schema/identifier';
import { describeFailure } from './describe-failure';

export interface PreparedMigration {
  readonly resolved: ResolvedOptions;
  readonly database: Database;
  /** The replica whose binary log is read; null for the server's own. */
  readonly source: Database | null;
  readonly name: TableName;
}

/** Everything that can be refused before the server is asked, and the first connection to it. The caller closes both. */
export async function prepareMigration(
  table: unknown,
  options: unknown,
  alter: unknown,
): Promise<PreparedMigration> {
  const fail = (error: unknown): LargeHadronError =>
    describeFailure(error, {
      ...{ phase: 'plan', table: String(table), outcome: 'untouched', leftovers: [] },
      what: `The migration of '${String(table)}' could not begin`,
    });
  try {
    const resolved = resolveOptions(options, process.env);
    if (typeof alter !== 'function' && (typeof alter !== 'string' || alter.trim() === '')) {
      throw new Refusal(
        'LHM_BAD_ALTER',
        'The third argument must be a function or a string of ALTER clauses.',
        "For example (t) => { t.string('a', 64); } or 'ADD COLUMN a VARCHAR(64)'.",
      );
    }
    // The name is checked for its form before a connection is made, and for its schema after.
    parseTableName(table, 'any');
    const database = await connectDatabase(resolved.knex);
    try {
      const name = await calledTable(resolved.knex, database, parseTableName(table, database.schema));
      const replica = resolved.binlog.source;
      const source = replica === false ? null : await connectSource(replica);
      return { resolved, database, source, name };
    } catch (error) {
      await database.close();
      throw error;
    }
  } catch (error) {
    throw fail(error);
  }
}
