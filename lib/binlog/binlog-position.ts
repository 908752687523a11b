import { Refusal } from '../errors';
import { errorNumber } from '../database/server-error';
import type { Session } from '../database/session';
import { binlogOff, missingPrivilege } from './binlog-errors';

/** A place in the server's binary log. To be stored and given back, not to be computed with. */
export interface BinlogPosition {
  readonly file: string;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  /** The transaction that ended last before it, as the server names it. For people. */
  readonly gtid?: string | undefined;
}

/** Negative when `a` comes before `b` in the log, 0 when they are the same place. */
export function comparePositions(a: BinlogPosition, b: BinlogPosition): number {
  return fileNumber(a.file) - fileNumber(b.file) || a.offset - b.offset;
}

/** Numbers grow beyond the six digits that they begin with, so names do not sort. */
function fileNumber(file: string): number {
  return Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
}

const SYNTAX_ERROR = 1064;
const ACCESS_DENIED = 1227;

/**
 * Where the log ends: everything that committed before the call is before it.
 *
 * @throws Refusal LHM_BINLOG_OFF, LHM_MISSING_PRIVILEGE
 */
export async function currentPosition(session: Session): Promise<BinlogPosition> {
  const [row] = await status(session);
  if (row === undefined) throw binlogOff();
  const gtid = row.Executed_Gtid_Set?.replaceAll('\n', '') ?? '';
  return { file: row.File, offset: Number(row.Position), ...(gtid === '' ? {} : { gtid }) };
}

interface Status {
  readonly File: string;
  readonly Position: number | string;
  readonly Executed_Gtid_Set?: string;
}

async function status(session: Session): Promise<Status[]> {
  try {
    // MySQL from 8.2 on; the older name is gone in 8.4, and the only one on MariaDB.
    return await session.query<Status>('SHOW BINARY LOG STATUS');
  } catch (error) {
    if (errorNumber(error) !== SYNTAX_ERROR) throw refused(error);
  }
  try {
    return await session.query<Status>('SHOW MASTER STATUS');
  } catch (error) {
    throw refused(error);
  }
}

function refused(error: unknown): unknown {
  return errorNumber(error) === ACCESS_DENIED && !(error instanceof Refusal)
    ? missingPrivilege(error, 'REPLICATION CLIENT')
    : error;
}
