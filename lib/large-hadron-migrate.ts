import { startControl, type ControlServer } from './control/control-server';
import { DONE, endingOf, type Ending } from './control/ending';
import type { AlterFunction } from './ghost/alter-function';
import { Migration } from './migration/migration';
import type { MigrationResult } from './migration/result';
import { prepareMigration } from './migration/prepare-migration';
import { stopSignals } from './migration/stop-signals';
import type { LargeHadronOptions } from './options/options';
import type { MigrationPlan } from './plan/plan';
import { planLargeHadronMigration } from './plan-large-hadron-migration';
import { tellProgress } from './progress/progress-events';
import { ProgressTracker } from './progress/progress-tracker';
import { startReporter } from './progress/reporter';
import { clock } from './util/clock';
import { withoutPasswords } from './util/without-passwords';

/** Milliseconds between two calls of `onStatus`. */
const STATUS_EVERY_MS = 5000;

/**
 * Changes the schema of a table while the application goes on reading and writing it.
 *
 * The table is cloned, the clone is altered, rows are copied in chunks while triggers record what is written
 * meanwhile, every row is compared, and the tables are swapped. The original stays under `result.oldTable`.
 *
 * @param table `'emails'` or `'schema.emails'`, as in `knex.schema.alterTable`: names are mapped by a `wrapIdentifier`
 * @param options only `knex` is required
 * @param alter what to change: Knex's builder and `ctx`, or a string of ALTER clauses
 * @returns what was done, with counts and times; with `dryRun: true` the plan of what would be done
 * @throws LargeHadronError with a stable `code`, the `outcome` for the table, `leftovers` and a `hint`
 */
export async function largeHadronMigrate(
  table: string,
  options: LargeHadronOptions & { readonly dryRun: true | 'ghost' },
  alter: AlterFunction | string,
): Promise<MigrationPlan>;
export async function largeHadronMigrate(
  table: string,
  options: LargeHadronOptions,
  alter: AlterFunction | string,
): Promise<MigrationResult>;
export async function largeHadronMigrate(
  table: string,
  options: LargeHadronOptions,
  alter: AlterFunction | string,
): Promise<MigrationResult | MigrationPlan> {
  if ([true, 'ghost'].includes((options as Partial<LargeHadronOptions> | undefined)?.dryRun ?? false))
    return planLargeHadronMigration(table, options, alter);
  const { resolved, database, source, name } = await prepareMigration(table, options, alter);
  const full = `${name.schema}.${name.table}`;
  const progress = new ProgressTracker(full);
  const stop = stopSignals(resolved.signal, resolved.handleSignals);
  const reporter = startReporter(resolved.progress, progress, process.stderr);
  const migration = new Migration(database, source, name, resolved, alter, progress, stop);
  const { hooks, tell } = migration;
  tellProgress(progress, resolved.events);
  const status = clock.setInterval(
    () => void hooks.status(),
    resolved.hooks.statusEveryMs ?? STATUS_EVERY_MS,
  );
  let control: ControlServer | null = null;
  let endsAs: (ending: Ending) => void = () => undefined;
  const ended = new Promise<Ending>((resolve) => (endsAs = resolve));
  try {
    control = await startControl(resolved.control, full, {
      context: {
        operator: migration.operator,
        table: full,
        ...{ forceNamed: resolved.control.forceNamed, ended },
      },
      before: async (command, value) => {
        const shown = value === null ? null : withoutPasswords(value);
        // Whoever forgets the `=` has said all of it as the command.
        const said = withoutPasswords(command);
        tell('command', { command: said, value: shown });
        await hooks.command(said, shown);
      },
      warn: (message) => tell('warning', { message }),
    });
    const result = await migration.run();
    await hooks.success();
    tell('done', { result });
    endsAs(DONE);
    return result;
  } catch (error) {
    const failure = await migration.fail(error);
    await hooks.failure(failure);
    tell('failed', { error: failure });
    endsAs(endingOf(failure));
    throw failure;
  } finally {
    await control?.close();
    clock.clearInterval(status);
    hooks.end();
    reporter.stop();
    stop.dispose();
    await migration.dispose();
    await source?.close();
    await database.close();
  }
}
