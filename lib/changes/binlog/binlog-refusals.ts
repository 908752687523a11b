import { messageOf } from '../../database/server-error';
import { Refusal } from '../../errors';
import type { TableName } from '../../schema/identifier';
import { meaningOf } from './statements';

export function changed({ schema, table }: TableName, what: string): Refusal {
  return new Refusal(
    'LHM_ORIGIN_CHANGED',
    `Table '${schema}.${table}' was changed by somebody else while it was migrated: ${what}.`,
    'Nothing was swapped. Keep others from changing its definition or truncating it meanwhile, and run again.',
  );
}

function statementFormat(sql: string): Refusal {
  return new Refusal(
    'LHM_BINLOG_FORMAT',
    `Somebody writes in statement format, which does not tell what rows are changed: ${sql.slice(0, 100)}`,
    "Nothing was swapped. Let every connection use binlog_format = 'ROW', or use mode: 'triggers'.",
  );
}

/** @param syncBinlog the server's setting when the migration began */
export function crashed(syncBinlog: number): Refusal {
  return new Refusal(
    'LHM_CONNECTION_LOST',
    `The server crashed, and with sync_binlog = ${syncBinlog} what it had committed last may be missing in its binary log.`,
    'Nothing was swapped. Run again; SET GLOBAL sync_binlog = 1 before lets a migration go on after a crash.',
  );
}

/** What sync_binlog was in between cannot be known any more. */
export function crashedUnseen(): Refusal {
  return new Refusal(
    'LHM_CONNECTION_LOST',
    'The server was started anew several times before it was reached again, and what it had committed in between may be missing in its binary log.',
    'Nothing was swapped. Run again.',
  );
}

/**
 * Where the log of a replica is read, nothing tells a crash of the server above it from a restart.
 *
 * @param called the server, for people
 * @param syncBinlog its setting before
 */
export function startedAnew(called: string, syncBinlog: number): Refusal {
  return new Refusal(
    'LHM_CONNECTION_LOST',
    `${called} was started anew. If it crashed, what it had committed last may be missing in the logs of its replicas, because it has sync_binlog = ${syncBinlog}.`,
    'Nothing was swapped. Run again; SET GLOBAL sync_binlog = 1 there before lets a migration go on after a restart.',
  );
}

export function lostForGood(cause: unknown): Refusal {
  return new Refusal(
    'LHM_CONNECTION_LOST',
    `The binary log could not be read on: ${messageOf(cause)}`,
    'Nothing was swapped. Run again.',
    { cause },
  );
}

/** What was written to the primary does not show in the replica's log. */
export function neverBack(withinMs: number): Refusal {
  return new Refusal(
    'LHM_REPLICA_UNFIT',
    `What was written to the server that is migrated has not come through binlog.source within ${withinMs / 1000} s: it is far behind, or does not follow that server.`,
    'Nothing was swapped. Wait until the replica has caught up, or name another one, and run again.',
  );
}

/**
 * @param origin what the table is called at that place of the log
 * @param swapped whether the new table bears the table's name: nobody can write to the original then but by its own name
 * @throws Refusal for a statement after which not all changes are known
 */
export function refuseStatement(
  origin: TableName,
  swapped: boolean,
  { schema, sql }: { readonly schema: string; readonly sql: string },
): void {
  const meaning = meaningOf(sql, schema, origin);
  if (meaning === 'table') throw changed(origin, sql.slice(0, 100));
  if (meaning === 'rows' && !swapped) throw statementFormat(sql);
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}
