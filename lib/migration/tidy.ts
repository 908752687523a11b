import { liveLock } from '../database/metadata-locks';
import { readOnlySwitch, refuseReadOnly } from '../database/read-only';
import { qualified } from '../database/sql';
import type { DerivedNames } from '../schema/derived-names';
import { Cleaner } from './cleaner';
import { lateChanges } from './late-changes';
import type { Parts } from './run-migration';

/**
 * Removes the helpers after the swap. Nobody is to write to the old table any more, so its journal must be empty and stay
 * so. If it is not, triggers and tables are kept for a person to look at, and nothing is overwritten by itself.
 *
 * @throws Refusal LHM_LATE_CHANGES
 */
export async function tidy(
  parts: Parts,
  { schema, table, names }: { readonly schema: string; readonly table: string; readonly names: DerivedNames },
): Promise<void> {
  const { work, observer, source, recovery, options } = parts;
  const late = await recovery.steadily(async () => {
    const entries = await source.lateChanges(work);
    await work.execute('COMMIT');
    return entries;
  });
  if (late > 0) throw lateChanges(late, { schema }, names);
  const cleaner = new Cleaner(schema, table, names, liveLock(options.giveUpAfterMs));
  await source.close();
  await work.close();
  await recovery.steadily(async () => {
    await refuseReadOnly(observer, readOnlySwitch(parts.database.server, options.replica !== null));
    await cleaner.removeHelpers(observer);
    if (options.cleanUp.dropOldTable) {
      await observer.execute(`DROP TABLE IF EXISTS ${qualified(schema, names.old)}`);
    }
  });
}
