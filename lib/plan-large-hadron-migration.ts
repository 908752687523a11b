import type { AlterFunction } from './ghost/alter-function';
import { describeFailure } from './migration/describe-failure';
import { prepareMigration } from './migration/prepare-migration';
import type { LargeHadronOptions } from './options/options';
import { buildPlan } from './plan/build-plan';
import type { MigrationPlan } from './plan/plan';
import { derivedNames, timestampOf } from './schema/derived-names';
import { clock } from './util/clock';

/**
 * Says what {@link largeHadronMigrate} would do with the same arguments, and what stands in its way, without creating
 * or changing anything that another session could see.
 *
 * Whatever would make the migration refuse to begin is listed in `problems`; the alter function runs, once.
 *
 * @throws LargeHadronError, outcome `untouched`, when there is nothing to plan: bad options, no such table, a change
 *   that the server refuses
 */
export async function planLargeHadronMigration(
  table: string,
  options: LargeHadronOptions,
  alter: AlterFunction | string,
): Promise<MigrationPlan> {
  const { resolved, database, name } = await prepareMigration(table, options, alter);
  const names = derivedNames(name.table, timestampOf(new Date(clock.now())));
  try {
    return await buildPlan({ database, name, names, options: resolved, alter });
  } catch (error) {
    throw describeFailure(error, {
      ...{ phase: 'plan', table: `${name.schema}.${name.table}`, outcome: 'untouched', leftovers: [] },
      what: `The migration of '${name.schema}.${name.table}' could not be planned`,
    });
  } finally {
    await database.close();
  }
}
