import { notInterrupted } from '../../database/not-interrupted';
import {
  isConnectionLoss,
  isInterruption,
  isLockTimeout,
  isTooMany,
  isTransient,
} from '../../database/server-error';
import type { Session } from '../../database/session';
import { id, qualified, text } from '../../database/sql';
import type { TablePair } from '../../schema/table-pair';
import type { CapturedKey } from './captured-keys';

/** Longest time that keys wait for the journal, in seconds. */
const LOCK_SECONDS = 1;

/** For the session that keys are written on: their literals of TIMESTAMP columns are in UTC. */
export async function setUpWriter(session: Session): Promise<void> {
  await session.execute(`SET SESSION time_zone = '+00:00', SESSION lock_wait_timeout = ${LOCK_SECONDS}`);
}

interface Written {
  /** Most keys in one statement. */
  readonly atOnce: number;
  /** What else is written in the same transaction. */
  readonly also: string;
}

/** On a session in UTC, in a transaction of its own together with `also`. @param atOnce most keys in one statement */
export async function insertOn(
  session: Session,
  pair: TablePair,
  keys: readonly CapturedKey[],
  { atOnce, also }: Written,
): Promise<void> {
  await session.execute('START TRANSACTION');
  try {
    await insertKeys(session, pair, keys, atOnce);
    await session.execute(also);
    await session.execute('COMMIT');
  } catch (error) {
    if (!session.lost) await session.execute('ROLLBACK');
    throw error;
  }
}

/**
 * Rejects when the connection is gone: then the server may have crashed, and lost what it had committed last. Who reads the
 * server's own log loses that with it; a replica's goes on.
 */
export async function stillThere(session: Session): Promise<void> {
  await session.execute('DO 0');
}

/**
 * On the session that holds the tables, and goes on holding them. How far the log was read is not among them, and after a loss
 * of this connection nothing is swapped anyway.
 */
export async function insertLocked(
  session: Session,
  pair: TablePair,
  keys: readonly CapturedKey[],
  atOnce: number,
): Promise<void> {
  await inUtc(session, () => insertKeys(session, pair, keys, atOnce));
  await session.execute('COMMIT');
}

async function insertKeys(
  session: Session,
  pair: TablePair,
  keys: readonly CapturedKey[],
  atOnce: number,
): Promise<void> {
  const columns = ['hadron_action', ...pair.key.originKeys.names.map(id)].join(', ');
  for (let from = 0; from < keys.length; from += atOnce) {
    const rows = keys
      .slice(from, from + atOnce)
      .map(({ action, literals }) => `('${action}', ${literals.join(', ')})`);
    await session.execute(
      `INSERT INTO ${qualified(pair.schema, pair.names.journal)} (${columns}) VALUES ${rows.join(', ')}`,
    );
  }
}

/** The literals of TIMESTAMP columns are in UTC, which is not what every session runs in. */
async function inUtc(session: Session, run: () => Promise<void>): Promise<void> {
  const [row] = await session.query<{ zone: string }>('SELECT @@SESSION.time_zone AS zone');
  try {
    await session.execute("SET SESSION time_zone = '+00:00'");
    await run();
  } finally {
    if (!session.lost) await backTo(session, row?.zone ?? 'SYSTEM');
  }
}

/** What this session converts from here on would come out otherwise, and be compared with what came out as wrong. */
async function backTo(session: Session, zone: string): Promise<void> {
  await notInterrupted(() => session.execute(`SET SESSION time_zone = ${text(zone)}`));
}

/** Keys that were not written, on a connection that is still there. */
export function mayBeWrittenAgain(error: unknown): boolean {
  // At once, and again for as long as the account's hour lasts: nothing is to be had by trying.
  if (isConnectionLoss(error) || isTooMany(error)) return false;
  return isTransient(error) || isLockTimeout(error) || isInterruption(error);
}
