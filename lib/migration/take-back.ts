import type { Session } from '../database/session';
import type { Leftover } from '../errors';
import type { Owner } from '../state/state-table';
import { cleanQuietly, type Cleaner } from './cleaner';

export interface TakeBackInput {
  readonly cleaner: Cleaner;
  /** On which is removed; it holds the lock without which no other run begins, unless `owner` is another one. */
  readonly session: Session;
  readonly owner: Owner;
  /** Whether no other run can have had the lock since this one began. */
  readonly unbroken: boolean;
  /** Whose it is by the state table alone. */
  readonly byState: (session: Session) => Promise<Owner>;
}

/** What is left of ours, and whether trying once more may remove it. */
export interface TakenBack {
  readonly leftovers: readonly Leftover[];
  readonly again: boolean;
  /** Whether another session may remove them at any time, because it has the lock. */
  readonly unsure?: boolean;
}

/**
 * Removes everything, as long as what bears a name without a timestamp is surely ours, and stays so. Where somebody dropped
 * the state table, it is only if no other run can have been in between.
 */
export async function takeBack(input: TakeBackInput): Promise<TakenBack> {
  const { cleaner, session, owner, unbroken } = input;
  if (owner === 'ours' || (owner === 'gone' && unbroken)) return cleanQuietly(cleaner, session);
  await cleaner.removeTimestamped(session);
  return leftAlone(input);
}

/** What stays where nothing may be removed: what another run has taken over is that run's, and no longer ours to name. */
export async function leftAlone({
  cleaner,
  session,
  owner,
  byState,
}: Omit<TakeBackInput, 'unbroken'>): Promise<TakenBack> {
  const unsure = owner === 'others' && (await byState(session)) === 'ours';
  return { leftovers: await cleaner.leftovers(session, unsure ? 'ours' : owner), again: false, unsure };
}
