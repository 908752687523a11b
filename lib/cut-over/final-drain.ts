import { qualified } from '../database/sql';
import { showCreateTable } from '../schema/read-table-schema';
import { withWindow } from '../schema/id-window';
import { autoIncrementOf, definitionText, isCounter } from '../schema/table-schema';
import { Refusal } from '../errors';
import type { CutOverDeps } from './cut-over-deps';
import type { Deadline } from './deadline';
import { Postponed } from './postponed';

/**
 * The last changes, applied while nobody can write: afterwards the ghost is what the origin is.
 *
 * @param check the last look at both tables
 * @throws Postponed when it takes too long
 */
export async function drainLocked(
  deps: CutOverDeps,
  deadline: Deadline,
  check: (session: CutOverDeps['work']) => Promise<void> = (session) => deps.guard.checkLocked(session),
): Promise<void> {
  const { work, replayer, source, verifier, options } = deps;
  const mostUnderLock = options.verify === false ? 0 : options.verify.underLock;
  let compared = 0;
  await source.gather(work, deadline.leftMs);
  for (;;) {
    const { entries } = await replayer.replayBatch(work);
    deadline.check('applying the last changes');
    if (entries > 0) continue;
    // A key found different is journalled anew, so replaying and comparing take turns until both have nothing left.
    const rechecked = (await verifier?.recheckNext(work, deadline.leftMs)) ?? 0;
    if (rechecked === 0) break;
    compared += rechecked;
    deadline.check('comparing the last changes');
    if (compared > mostUnderLock) {
      throw new Postponed(`more than ${mostUnderLock} rows (verify.underLock) were left to compare`, {
        wayOut: 'Raise verify.underLock, or wait for a time with fewer writes',
      });
    }
  }
  // A full locking scan, because it alone sees prepared XA transactions, which after a restart hold no lock on the
  // origin on MariaDB: it waits for them, times out, and the attempt is given up.
  const waiting = await source.lockingBacklog(work);
  await work.execute('COMMIT');
  if (waiting > 0) throw new Postponed(`${waiting} changes appeared that were not visible before`);
  await check(work);
  await work.execute('COMMIT');
  deadline.check('the last checks');
}

/** The ghost takes over the origin's counter: with deletes at the end of the table ids would be given out twice. */
export async function carryAutoIncrement({ work, pair, options }: CutOverDeps): Promise<void> {
  const { schema, origin, names } = pair;
  const before = autoIncrementOf(await showCreateTable(work, { schema, table: origin.table }));
  const after = autoIncrementOf(await showCreateTable(work, { schema, table: names.ghost }));
  // No counter on either side: the origin never had one, or the ALTER took it away.
  if (before === null || pair.ownCounter || !pair.ghost.columns.some(isCounter)) return;
  const next = withWindow(BigInt(before), pair.ghost, options.idWindow);
  if (after !== null && BigInt(after) >= next) return;
  await work.execute(`ALTER TABLE ${qualified(schema, names.ghost)} AUTO_INCREMENT = ${next}`);
}

/**
 * The very last look before the swap: nothing of ours was left on the ghost by an attempt that broke off.
 *
 * @param ownColumn one that is still to be dropped, in back-ticks
 */
export async function checkGhost({ work, pair }: CutOverDeps, ownColumn?: string): Promise<void> {
  const shown = await showCreateTable(work, { schema: pair.schema, table: pair.names.ghost });
  const now =
    ownColumn === undefined
      ? shown
      : shown
          .split('\n')
          .filter((line) => !line.trimStart().startsWith(ownColumn))
          .join('\n');
  await work.execute('COMMIT');
  if (definitionText(now) === definitionText(pair.ghost.createSql)) return;
  throw new Refusal(
    'LHM_GHOST_CHANGED',
    `The new table '${pair.names.ghost}' was altered by somebody else.`,
    'Nothing was swapped. Keep others off that table, and run again.',
  );
}
