import { confirmSwap } from '../cut-over/confirm-swap';
import { errorNumber, isInterruption } from '../database/server-error';
import type { Session } from '../database/session';
import { Refusal } from '../errors';
import type { OriginGuard } from '../guard/origin-guard';
import type { TablePair } from '../schema/table-pair';

/** What may follow from a change of the table itself: triggers are not seen either while it is altered. */
const FOLLOWS: ReadonlySet<string> = new Set(['LHM_VERIFY_FAILED', 'LHM_TRIGGERS_CHANGED']);

/**
 * A table that somebody dropped, altered or emptied makes our statements fail, or rows differ, before the guard looks at
 * it again. Then that is the reason to be told.
 *
 * @returns the Refusal that says so, or `error` itself
 */
export async function whatChanged(
  error: unknown,
  { guard, observer, pair }: { guard: OriginGuard; observer: Session; pair: TablePair },
): Promise<unknown> {
  const follows = error instanceof Refusal && FOLLOWS.has(error.code);
  if (observer.lost || !(follows || (errorNumber(error) > 0 && !isInterruption(error)))) return error;
  try {
    // After the swap the table is another one for a good reason.
    if ((await confirmSwap(observer, pair)) === 'swapped') return error;
    await guard.check(observer);
    await guard.checkIdentity(observer);
  } catch (reason) {
    if (!(reason instanceof Refusal)) return error;
    return new Refusal(reason.code, reason.message, reason.hint, { cause: error });
  }
  return error;
}
