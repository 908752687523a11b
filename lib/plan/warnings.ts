import { briefRetention } from '../binlog/log-retention';
import type { Database } from '../database/database';
import type { Session } from '../database/session';
import type { TablePair } from '../schema/table-pair';
import type { PlanEstimate } from './plan';

/** The new table, and what the copy writes to the binary log, have to have room beside the old one. */
export function tooLittleRoom({ freeBytes, tableBytes, binlogBytes }: PlanEstimate): string[] {
  if (freeBytes === null || freeBytes > tableBytes + binlogBytes) return [];
  return ['There may be too little room: the new table and the binary log take more than what is free.'];
}

/** One more index has to be kept up while rows are copied. */
export function helperKey(pair: TablePair | null): string[] {
  if (pair === null || !pair.key.helper) return [];
  const { ghostIndex, ghostKeys } = pair.key;
  return [
    `No index of the new definition begins with (${ghostKeys.names.join(', ')}), by which rows are found: the new table has one more, ${ghostIndex}, until right after the swap.`,
  ];
}

interface Captured {
  /** The replica whose log is read; null for the server that the session is of. */
  readonly source: Database | null;
  readonly size: PlanEstimate;
  /** The account that the triggers are to run as; null for the one that creates them. */
  readonly definer: string | null;
}

/** What can go wrong with the way in which changes are captured. */
export const CAPTURE_WARNINGS = {
  triggers: async (session: Session, { definer }: Captured): Promise<string[]> => [
    ...(await temporaryAccount(session, definer)),
    ...(await replicaWarning(session)),
  ],
  binlog: (session: Session, { source, size }: Captured): Promise<string[]> =>
    briefRetention(session, source, size.rows),
};

/** An account that is dropped while its triggers are there makes every write of the application fail (1449). */
async function temporaryAccount(session: Session, definer: string | null): Promise<string[]> {
  const [row] = await session.query<{ account: string }>('SELECT CURRENT_USER() AS account');
  const account = definer ?? row?.account ?? '';
  if (!/^v-|temp|tmp/i.test(account)) return [];
  return [
    `The triggers would run as ${account}, which looks like an account that does not last; without it every write of the application fails. Name one that does: triggers: { definer: 'user@host' }.`,
  ];
}

/** Our statements take rows off the journal; a replica that never got them stops with 1032. */
async function replicaWarning(session: Session): Promise<string[]> {
  const rows = await session.query<{ Command: string }>('SHOW PROCESSLIST');
  const replicas = rows.filter(({ Command }) => /^Binlog Dump/i.test(Command)).length;
  if (replicas === 0) return [];
  return [
    `${replicas} replica${replicas === 1 ? ' follows' : 's follow'} this server: a session that writes to the table with sql_log_bin = 0 while it is migrated would stop them (error 1032).`,
  ];
}
