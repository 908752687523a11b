import type { Database } from '../database/database';
import type { BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { confirmSwap } from '../cut-over/confirm-swap';
import { halfSwapped } from '../cut-over/half-swapped';
import { giveNameBack, mayBeTakenBack, settleSwap } from '../cut-over/settle-swap';
import type { TablePair } from '../schema/table-pair';
import type { Owner } from '../state/state-table';

export interface FinalStandingInput {
  readonly session: Session;
  readonly database: Database;
  /** null before there was a ghost, and once the tables are known to be swapped. */
  readonly pair: TablePair | null;
  readonly bound: BoundedLock;
  readonly owner: (session: Session) => Promise<Owner>;
}

/**
 * How the tables stand once no statement of ours can change it any more, and whose they are.
 *
 * @throws ConnectionDoesNotEnd while one still can, and an error when they stand as no run leaves them
 */
export async function finalStanding(
  input: FinalStandingInput,
): Promise<{ readonly owner: Owner; readonly swapped: boolean }> {
  const { session, database, pair, bound } = input;
  // The application stands still without its table, and waiting for connections takes longer than this.
  if (pair !== null) await giveNameBack(session, pair, bound).catch(() => undefined);
  await database.endLost(session);
  const owner = await input.owner(session);
  if (pair === null) return { owner, swapped: false };
  // Asked before it is looked: what is settled by then stays so.
  if (owner === 'others' && (await mayBeTakenBack(session, pair)))
    throw new Error(
      'another run has taken over, and is about to take a swap back that came before the last changes',
    );
  const standing =
    owner === 'others' ? await confirmSwap(session, pair, true) : await settleSwap(session, pair, bound);
  if (standing === 'swapped' || standing === 'not-swapped') return { owner, swapped: standing === 'swapped' };
  if (standing === 'given-away') throw halfSwapped(pair);
  throw new Error('the tables are neither swapped nor as they were');
}
