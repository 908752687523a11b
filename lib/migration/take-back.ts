import { AdvisoryLock } from '../database/advisory-lock';
import type { Session } from '../database/session';
import { Refusal, type Leftover } from '../errors';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import { ownerOf, type Owner } from '../state/state-table';
import { cleanQuietly, type Cleaner } from './cleaner';

export interface TakeBackInput {
  readonly cleaner: Cleaner;
  /** On which is removed. */
  readonly session: Session;
  readonly owner: Owner;
  readonly name: Pick<TableName, 'schema' | 'table'>;
  readonly names: DerivedNames;
  readonly epoch: string;
  /** Held by the observer; null before it was taken. */
  readonly lock: AdvisoryLock | null;
  readonly observer: Session | null;
}

/** What is left of ours, and whether trying once more may remove it. */
export interface TakenBack {
  readonly leftovers: readonly Leftover[];
  readonly again: boolean;
}

/**
 * Removes everything, as long as what bears a name without a timestamp is surely ours. Where somebody dropped the state
 * table, nobody can have begun anew while we hold the lock.
 */
export async function takeBack(input: TakeBackInput): Promise<TakenBack> {
  const { cleaner, session, owner } = input;
  if (owner === 'ours' ? await mayRemove(input) : owner === 'gone' && (await holdsLock(input)))
    return cleanQuietly(cleaner, session);
  await cleaner.removeTimestamped(session);
  return { leftovers: owner === 'gone' ? await cleaner.leftovers(session) : [], again: false };
}

/** Once our lock is lost another run may take over at any moment, and what bears these names is its own then. */
async function mayRemove(input: TakeBackInput): Promise<boolean> {
  const { session, name, names, epoch } = input;
  if (await holdsLock(input)) return true;
  if (!(await new AdvisoryLock(session, name.schema, name.table).tryAcquire())) return false;
  return (await ownerOf(session, name.schema, names.state, epoch)) === 'ours';
}

/** @throws what the server answered instead: a question that failed is to be asked again, and is no answer. */
async function holdsLock({ lock, observer }: TakeBackInput): Promise<boolean> {
  const observed = (): boolean => observer?.lost === false;
  if (lock === null || !observed()) return false;
  try {
    await lock.check();
    return true;
  } catch (error) {
    if (error instanceof Refusal || !observed()) return false;
    throw error;
  }
}
