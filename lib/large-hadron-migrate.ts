import { connectDatabase } from './database/mysql-database';
import type { Database } from './database/database';
import { Refusal, type LargeHadronError } from './errors';
import type { AlterFunction } from './ghost/alter-function';
import { describeFailure } from './migration/describe-failure';
import { runQuietHook } from './migration/hooks';
import { Migration } from './migration/migration';
import type { MigrationResult } from './migration/result';
import { stopSignals } from './migration/stop-signals';
import type { LargeHadronOptions, ResolvedOptions } from './options/options';
import { resolveOptions } from './options/resolve-options';
import { ProgressTracker } from './progress/progress-tracker';
import { startReporter } from './progress/reporter';
import { parseTableName, type TableName } from './schema/identifier';

/** Milliseconds between two calls of `onStatus`. */
const STATUS_EVERY_MS = 5000;

/**
 * Changes the schema of a table while the application goes on reading and writing it.
 *
 * The table is cloned, the clone is altered, rows are copied in chunks while triggers record what is written
 * meanwhile, every row is compared, and the tables are swapped. The original stays under `result.oldTable`.
 *
 * @param table `'emails'` or `'schema.emails'`
 * @param options only `knex` is required
 * @param alter what to change: Knex's builder and `ctx`, or a string of ALTER clauses
 * @returns what was done, with counts and times
 * @throws LargeHadronError with a stable `code`, the `outcome` for the table, `leftovers` and a `hint`
 */
export async function largeHadronMigrate(
  table: string,
  options: LargeHadronOptions,
  alter: AlterFunction | string,
): Promise<MigrationResult> {
  const { resolved, database, name } = await prepare(table, options, alter);
  const progress = new ProgressTracker(`${name.schema}.${name.table}`);
  const stop = stopSignals(resolved.signal, resolved.handleSignals);
  const reporter = startReporter(resolved.progress, progress, process.stderr);
  const migration = new Migration(database, name, resolved, alter, progress, stop.signal);
  const { hooks } = resolved;
  const status = setInterval(
    () => void runQuietHook(() => hooks.onStatus?.(migration.hookContext())),
    STATUS_EVERY_MS,
  );
  try {
    const result = await migration.run();
    await runQuietHook(() => hooks.onSuccess?.(migration.hookContext()));
    return result;
  } catch (error) {
    const failure = await migration.fail(error);
    await runQuietHook(() => hooks.onFailure?.(failure, migration.hookContext()));
    throw failure;
  } finally {
    clearInterval(status);
    reporter.stop();
    stop.dispose();
    await database.close();
  }
}

/** Everything that can be refused before the server is asked, and the first connection to it. */
async function prepare(
  table: unknown,
  options: unknown,
  alter: unknown,
): Promise<{ resolved: ResolvedOptions; database: Database; name: TableName }> {
  const fail = (error: unknown): LargeHadronError =>
    describeFailure(error, { phase: 'plan', table: String(table), outcome: 'untouched', leftovers: [] });
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
    return { resolved, database, name: parseTableName(table, database.schema) };
  } catch (error) {
    throw fail(error);
  }
}
