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
}

/** What is left of ours, and whether trying once more may remove it. */
export interface TakenBack {
  readonly leftovers: readonly Leftover[];
  readonly again: boolean;
}

/**
 * Removes everything, as long as what bears a name without a timestamp is surely ours, and stays so. Where somebody dropped
 * the state table, it is only if no other run can have been in between.
 */
export async function takeBack({ cleaner, session, owner, unbroken }: TakeBackInput): Promise<TakenBack> {
  if (owner === 'ours' || (owner === 'gone' && unbroken)) return cleanQuietly(cleaner, session);
  await cleaner.removeTimestamped(session);
  return { leftovers: owner === 'gone' ? await cleaner.leftovers(session) : [], again: false };
}
