import { messageOf } from '../../database/server-error';
import { Refusal } from '../../errors';
import type { TablePair } from '../../schema/table-pair';
import { meaningOf } from './statements';

export function changed(pair: TablePair, what: string): Refusal {
  return new Refusal(
    'LHM_ORIGIN_CHANGED',
    `Table '${pair.schema}.${pair.origin.table}' was changed by somebody else while it was migrated: ${what}.`,
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

export function lostForGood(cause: unknown): Refusal {
  return new Refusal(
    'LHM_CONNECTION_LOST',
    `The binary log could not be read on: ${messageOf(cause)}`,
    'Nothing was swapped. Run again.',
    { cause },
  );
}

/**
 * Whether a statement of the log is the RENAME of the cut-over.
 *
 * @throws Refusal for one after which not all changes are known
 */
export function isSwap(
  pair: TablePair,
  { schema, sql }: { readonly schema: string; readonly sql: string },
): boolean {
  const origin = { schema: pair.schema, table: pair.origin.table };
  const meaning = meaningOf(sql, schema, origin, pair.names.ghost);
  if (meaning === 'table') throw changed(pair, sql.slice(0, 100));
  if (meaning === 'rows') throw statementFormat(sql);
  return meaning === 'swap';
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}
