import { isLockTimeout, isTransient, messageOf } from '../database/server-error';
import { Postponed } from './postponed';

/**
 * An attempt that could not take back what it had changed, because its connection was lost, or of which it cannot be known
 * whether it swapped. Counts as a lost connection, so that the tables are looked at before anything else is done: a new
 * attempt, and the changes applied until then, would count on the new table being as it was.
 */
export class Unsettled extends Error {
  override readonly name = 'Unsettled';
  readonly fatal = true;
}

/** What an attempt that was not taken back ends with: never with an error after which it is merely made again. */
export function unsettled(error: unknown): unknown {
  const triedAgain = error instanceof Postponed || isLockTimeout(error) || isTransient(error);
  return triedAgain ? new Unsettled(messageOf(error), { cause: error }) : error;
}
