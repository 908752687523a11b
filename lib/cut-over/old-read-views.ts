import { id, qualified } from '../database/sql';
import { errorNumber, isLockTimeout, messageOf } from '../database/server-error';
import { grantee } from '../database/grants';
import { openReadViews, usingDatabase, type OpenView } from '../database/read-views';
import { processStates, waitsForTable } from '../database/process-list';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { Refusal } from '../errors';
import { debugLog } from '../events/debug-log';
import type { TablePair } from '../schema/table-pair';
import { columnNamed, type TableSchema } from '../schema/table-schema';
import type { CutOverDeps } from './cut-over-deps';
import { clock } from '../util/clock';
import { deadlineIn, type Deadline } from './deadline';
import { END_OLD_VIEWS, Postponed } from './postponed';

const log = debugLog('cut-over');

export type OldReadViews = 'error' | 'wait' | 'ignore';

/** The answer asked for, or the strictest that the server and the new table allow. */
export function chosenAnswer(
  wanted: OldReadViews | undefined,
  server: ServerCapabilities,
  ghost: TableSchema,
): OldReadViews {
  if (wanted !== undefined) return wanted;
  return server.instantDropColumn && allowsInstant(ghost) ? 'error' : 'wait';
}

/** INSTANT ADD and DROP COLUMN are refused for compressed tables and tables with a FULLTEXT index. */
function allowsInstant(ghost: TableSchema): boolean {
  const options = ghost.createSql.slice(ghost.createSql.lastIndexOf('\n)'));
  const fulltext = ghost.indexes.some((index) => index.type === 'FULLTEXT');
  return !fulltext && !/ROW_FORMAT=COMPRESSED/i.test(options) && ghost.columns.length < 1000;
}

/**
 * A REPEATABLE READ transaction whose view is older than the last applied change, and which touches the table first
 * after the swap, would silently read the ghost's past: rows missing, stale or risen from the dead. Called after
 * the last change, while writers are blocked.
 *
 * @returns how many such transactions were left
 * @throws Postponed when waiting took too long
 */
export async function answerOldReadViews(
  deps: CutOverDeps,
  answer: OldReadViews,
  deadline: Deadline,
): Promise<number> {
  switch (answer) {
    case 'error':
      await ageDefinition(deps);
      return 0;
    case 'wait':
      await waitForOldViews(deps, deadline);
      return 0;
    case 'ignore':
      return countOldViews(deps, deadline);
  }
}

/**
 * Whether the account may see the transactions it would have to wait for; found out before any row is copied.
 *
 * @throws Refusal LHM_MISSING_PRIVILEGE
 */
export async function checkCanAnswer(
  observer: Session,
  server: ServerCapabilities,
  answer: OldReadViews,
): Promise<void> {
  if (answer !== 'wait') return;
  try {
    await openReadViews(observer, server, []);
  } catch (cause) {
    if (errorNumber(cause) !== SPECIFIC_ACCESS_DENIED) throw cause;
    throw new Refusal(
      'LHM_MISSING_PRIVILEGE',
      'Waiting for transactions with an older read view takes the PROCESS privilege, which the account lacks; without it such a transaction could read wrong rows right after the swap.',
      `GRANT PROCESS ON *.* TO ${await grantee(observer)}; or accept the risk with cutOver: { oldReadViews: 'ignore' }.`,
      { cause },
    );
  }
}

const SPECIFIC_ACCESS_DENIED = 1227;

/**
 * What can be done for the answer before the lock is asked for: the INSTANT column whose dropping under the lock makes
 * the definition younger than every view there is. May be repeated.
 */
export async function prepareAnswer({ work, pair }: CutOverDeps, answer: OldReadViews): Promise<void> {
  if (answer !== 'error') return;
  try {
    await work.execute(
      `ALTER TABLE ${ghostOf(pair)} ADD COLUMN ${viewColumn(pair)} TINYINT NULL, ALGORITHM = INSTANT`,
    );
  } catch (error) {
    // Left by an attempt that was given up before it came to dropping it.
    if (errorNumber(error) === DUPLICATE_COLUMN) return;
    if (isLockTimeout(error)) throw new Postponed(messageOf(error), { cause: error });
    if (NOT_INSTANT.has(errorNumber(error))) {
      const wayOut = "Leave cutOver.oldReadViews out or set it to 'wait': the table takes no INSTANT column";
      throw new InstantRefused(messageOf(error), { cause: error, wayOut });
    }
    throw error;
  }
}

/** The server then answers older views with 1412, "please retry transaction", as it would after a native ALTER. */
async function ageDefinition({ work, pair }: CutOverDeps): Promise<void> {
  await work.execute(`ALTER TABLE ${ghostOf(pair)} DROP COLUMN ${viewColumn(pair)}, ALGORITHM = INSTANT`);
}

function ghostOf(pair: TablePair): string {
  return qualified(pair.schema, pair.names.ghost);
}

/** The name of the INSTANT column, in back-ticks. */
export function viewColumn({ ghost }: TablePair): string {
  let name = 'hadron_view';
  while (columnNamed(ghost, name) !== undefined) name += '_';
  return id(name);
}

const DUPLICATE_COLUMN = 1060;

/** Not supported this way (1845, 1846), used up row versions (4092), too many columns or too long a row. */
const NOT_INSTANT = new Set([1845, 1846, 4092, 1117, 1118]);

/** The server would not do it INSTANT on this table after all; the next attempt waits for old views instead. */
export class InstantRefused extends Postponed {}

/**
 * Waits for every transaction that is open now; those that begin from here on see the last change. One that waits for
 * our own lock cannot end before we let go, so the attempt is given up at once.
 */
async function waitForOldViews(deps: CutOverDeps, deadline: Deadline): Promise<void> {
  const patience = deadlineIn(deps.options.cutOver.lockTimeoutMs);
  const leftMs = (): number => Math.min(deadline.leftMs, patience.leftMs);
  let open = await openViews(deps, leftMs());
  const before = open.length;
  while (open.length > 0) {
    const states = await processStates(deps.observer);
    const stuck = open.find((view) => waitsForTable(states.get(view.connection)));
    if (stuck !== undefined) {
      throw new Postponed(
        `connection ${stuck.connection}, which has an older read view, waits for the table`,
        { wayOut: END_OLD_VIEWS },
      );
    }
    const why = open.find(({ unseen }) => unseen !== undefined)?.unseen;
    if (leftMs() <= 0) {
      const connections = open.map((view) => view.connection).join(', ');
      throw new Postponed(
        why === undefined
          ? `transactions with an older read view are open (connections ${connections})`
          : `it cannot be seen whether transactions with an older read view are open: ${why}`,
        { pauseMs: 0, wayOut: END_OLD_VIEWS },
      );
    }
    await clock.sleep(3);
    const now = await openViews(deps, leftMs());
    if (why !== undefined) open = now;
    else if (now.every(({ unseen }) => unseen === undefined)) {
      const keys = new Set(now.map((view) => view.key));
      open = open.filter((view) => keys.has(view.key));
    }
  }
  log('%d old read views are gone', before);
}

/** How many are left; 0 where they cannot be seen. */
async function countOldViews(deps: CutOverDeps, deadline: Deadline): Promise<number> {
  try {
    return (await openViews(deps, deadline.leftMs)).filter(({ unseen }) => unseen === undefined).length;
  } catch {
    return 0;
  }
}

/** The views that the table must not be swapped under. @param withinMs as for {@link openReadViews} */
export async function openViews(
  { observer, work, database, pair, options }: CutOverDeps,
  withinMs: number,
): Promise<OpenView[]> {
  const views = await openReadViews(observer, database.server, [observer.id, work.id], withinMs);
  return options.viewsOf === 'server' ? views : usingDatabase(observer, pair.schema, views);
}
