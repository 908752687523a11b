import { liveLock } from '../database/metadata-locks';
import { qualified } from '../database/sql';
import { Refusal } from '../errors';
import type { DerivedNames } from '../schema/derived-names';
import { Cleaner } from './cleaner';
import type { Parts } from './run-migration';

/**
 * Removes the helpers after the swap. Nobody can write to the old table any more, so its journal must be empty and stay
 * so. If it is not, triggers and tables are kept for a person to look at, and nothing is overwritten by itself.
 *
 * @throws Refusal LHM_LATE_CHANGES
 */
export async function tidy(
  parts: Parts,
  { schema, names }: { readonly schema: string; readonly names: DerivedNames },
): Promise<void> {
  const { work, observer, source, recovery, options } = parts;
  const late = await recovery.steadily(async () => {
    const entries = await source.lockingBacklog(work);
    await work.execute('COMMIT');
    return entries;
  });
  if (late > 0) {
    throw new Refusal(
      'LHM_LATE_CHANGES',
      `${late} changes reached the old table '${names.old}' after the swap; their keys are in '${names.journal}'.`,
      `Compare these rows of the old and the new table, and carry over what is missing, before anything is dropped: SELECT * FROM ${qualified(schema, names.journal)} WHERE hadron_action IS NOT NULL;`,
    );
  }
  const cleaner = new Cleaner(schema, names, liveLock(options.giveUpAfterMs));
  await work.close();
  await recovery.steadily(async () => {
    await cleaner.removeHelpers(observer);
    if (options.cleanUp.dropOldTable) {
      await observer.execute(`DROP TABLE IF EXISTS ${qualified(schema, names.old)}`);
    }
  });
}
