import type { AlterFunction, LargeHadronError, MigrationResult, ProgressSnapshot } from '../../lib';
import { Migration } from '../../lib/migration/migration';
import type { Operator } from '../../lib/migration/operator';
import { prepareMigration } from '../../lib/migration/prepare-migration';
import { stopSignals } from '../../lib/migration/stop-signals';
import { ProgressTracker } from '../../lib/progress/progress-tracker';
import type { Options, TestTable } from './test-table';
import { until } from './test-table-process-list';

/** A migration that runs, with the operator's hand on it. */
export class Operated {
  /** Resolves with its result, or with the error. */
  readonly end: Promise<MigrationResult | LargeHadronError>;

  private constructor(
    readonly operator: Operator,
    readonly seen: readonly ProgressSnapshot[],
    run: () => Promise<MigrationResult | LargeHadronError>,
  ) {
    this.end = run();
  }

  static async begin(test: TestTable, alter: AlterFunction | string, options: Options): Promise<Operated> {
    const { mode = 'triggers' } = test.server;
    const all = {
      knex: test.knex,
      mode,
      preset: 'fixture',
      progress: 'none',
      handleSignals: false,
      ...options,
    };
    const { resolved, database, source, name } = await prepareMigration(test.table, all, alter);
    const progress = new ProgressTracker(`${name.schema}.${name.table}`);
    const seen: ProgressSnapshot[] = [];
    progress.listen((snapshot) => seen.push(snapshot));
    const stop = stopSignals(resolved.signal, false);
    const migration = new Migration(database, source, name, resolved, alter, progress, stop);
    return new Operated(migration.operator, seen, async () => {
      try {
        return await migration.run();
      } catch (error) {
        return await migration.fail(error);
      } finally {
        stop.dispose();
        await migration.dispose();
        await database.close();
      }
    });
  }

  async result(): Promise<MigrationResult> {
    const result = await this.end;
    if (result instanceof Error) throw result;
    return result;
  }

  async failure(): Promise<LargeHadronError> {
    const error = await this.end;
    if (error instanceof Error) return error;
    throw new Error('it did not fail');
  }

  /** Resolves when the progress is as the condition says. */
  async until(what: string, condition: (now: ProgressSnapshot) => boolean): Promise<ProgressSnapshot> {
    let over: MigrationResult | LargeHadronError | undefined;
    void this.end.then((end) => (over = end));
    return until(what, () => {
      const now = this.operator.status();
      if (condition(now)) return Promise.resolve(now);
      if (over !== undefined) throw over instanceof Error ? over : new Error(`it ended before: ${what}`);
      return Promise.resolve(undefined);
    });
  }
}
