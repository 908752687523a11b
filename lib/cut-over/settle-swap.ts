import { errorNumber } from '../database/server-error';
import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { debugLog } from '../events/debug-log';
import type { DerivedNames } from '../schema/derived-names';
import { readRecord } from '../state/state-table';
import { confirmSwap, type Standing, type SwappedNames } from './confirm-swap';
import { openGates } from './gates';
import { changedUnreplayed, undoneByTakingBack } from './half-swapped';
import { renameBackStatement } from './rename-statement';
import { idOf, RENAME_THEN_REPLAY, type ReplayNote } from './replay-note';

const log = debugLog('cut-over');

/** Looks before what is found is left as it is. */
const LOOKS = 5;

const TABLE_EXISTS = 1050;
const NO_SUCH_TABLE = 1146;

export interface SettledPair extends SwappedNames {
  readonly names: DerivedNames;
}

/**
 * Looks how the tables stand, and gives the original its name back where a swap in two steps broke off between them:
 * until then it was locked, and has been out of reach of the application since, so it holds every write there is.
 *
 * May be called before the connection that swapped has surely ended, and then again: whichever of its second step and
 * this comes later fails, because the name is taken. Until that connection has ended the answer is not final.
 *
 * @param bound for the lock on the name
 */
export async function giveNameBack(
  session: Session,
  pair: SwappedNames,
  bound: BoundedLock,
): Promise<Exclude<Standing, 'half'>> {
  for (let look = 1; ; look++) {
    const standing = await confirmSwap(session, pair);
    if (standing !== 'half') return standing;
    if (look === LOOKS) return 'unknown';
    log('the swap was left half done; the original gets its name back');
    const { schema, origin, names } = pair;
    const table = qualified(schema, origin.table);
    await rename(session, bound, `RENAME TABLE ${qualified(schema, names.old)} TO ${table}`);
  }
}

/**
 * The same once the connection that swapped has surely ended. A swap that came before the last changes is taken back unless
 * they are known to be applied: until then its gates have refused every write to the new table. If they are, it is finished.
 *
 * @throws Refusal LHM_HALF_SWAPPED when somebody has truncated or replaced the new table meanwhile
 */
export async function settleSwap(
  session: Session,
  pair: SettledPair,
  bound: BoundedLock,
): Promise<Exclude<Standing, 'half'>> {
  const { schema, origin, names } = pair;
  for (let look = 1; ; look++) {
    const standing = await giveNameBack(session, pair, bound);
    const note = standing === 'swapped' ? await readNote(session, schema, names) : null;
    if (note === null) return standing;
    if (note.replayed) {
      await openGates(session, schema, names, bound);
      return standing;
    }
    if (look === LOOKS) return 'unknown';
    const now = await idOf(session, { schema, table: origin.table });
    if (now !== note.tableId) throw changedUnreplayed(pair);
    log('the last changes were not applied; the original gets its name back');
    await rename(session, bound, renameBackStatement(pair));
    const undone = await idOf(session, { schema, table: names.ghost }).catch(() => note.tableId);
    if (undone !== note.tableId) throw undoneByTakingBack(pair);
  }
}

/** Whether a swap came before the last changes: whoever takes the migration over takes it back. */
export async function mayBeTakenBack(
  session: Session,
  { schema, names }: Pick<SettledPair, 'schema' | 'names'>,
): Promise<boolean> {
  return (await readNote(session, schema, names))?.replayed === false;
}

async function readNote(
  session: Session,
  schema: string,
  { state, old }: DerivedNames,
): Promise<ReplayNote | null> {
  try {
    const record = await readRecord(session, schema, state);
    if (record?.names.old !== old) return null;
    return (record.steps?.[RENAME_THEN_REPLAY] as ReplayNote | undefined) ?? null;
  } catch (error) {
    // It is removed last of all, when everything is done.
    if (errorNumber(error) === NO_SUCH_TABLE) return null;
    throw error;
  }
}

async function rename(session: Session, bound: BoundedLock, statement: string): Promise<void> {
  try {
    await withBoundedLock(session, bound, () => session.execute(statement));
  } catch (error) {
    // Somebody was faster; the next look tells what that was.
    if (![TABLE_EXISTS, NO_SUCH_TABLE].includes(errorNumber(error))) throw error;
  }
}
