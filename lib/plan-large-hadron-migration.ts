import type { AlterFunction } from './ghost/alter-function';
import { describeFailure } from './migration/describe-failure';
import { RealGhostTrial } from './migration/ghost-trial';
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
 * With `dryRun: 'ghost'` the new table is really made and altered, shown in `newDefinition`, and removed again.
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
  const { resolved, database, source, name } = await prepareMigration(table, options, alter);
  const names = derivedNames(name.table, timestampOf(new Date(clock.now())));
  const ghost =
    options.dryRun === 'ghost' ? new RealGhostTrial(database, name, names, resolved.giveUpAfterMs) : null;
  try {
    return await buildPlan({ database, source, name, names, options: resolved, alter, ghost });
  } catch (error) {
    const leftovers = ghost?.leftovers ?? [];
    const outcome = leftovers.length === 0 ? 'untouched' : 'rolled-back';
    throw describeFailure(error, {
      ...{ phase: 'plan', table: `${name.schema}.${name.table}`, outcome, leftovers },
      what: `The migration of '${name.schema}.${name.table}' could not be planned`,
    });
  } finally {
    await source?.close();
    await database.close();
  }
}
