import type { Session } from '../database/session';
import { Refusal } from '../errors';
import type { TablePair } from '../schema/table-pair';
import type { Column } from '../schema/table-schema';

/**
 * Rows that are replicated name no columns: the first value goes to the first column, whatever it is called. So the new
 * table of a replica must begin with the columns of the old one, in their order, and have the rest filled by itself.
 *
 * @throws Refusal LHM_ALTER_UNSUPPORTED
 */
export async function refuseMovedColumns(session: Session, pair: TablePair): Promise<void> {
  const { origin, ghost, mapping } = pair;
  const rows = await session.query<{ Value: string }>(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('slave_type_conversions', 'replica_type_conversions')",
  );
  const converts = rows.some(({ Value }) => /ALL_NON_LOSSY/i.test(Value));
  for (const [i, column] of origin.columns.entries()) {
    const now = ghost.columns[i];
    if (now === undefined || mapping.get(column.name)?.toLowerCase() !== now.name.toLowerCase())
      throw refused(
        `The column '${column.name}' would not stand in the place in which the primary has it.`,
        'Keep the columns and their order, and add columns at the end; or migrate the primary.',
      );
    if (column.charset !== now.charset || column.generated !== now.generated)
      throw refused(
        `The column '${column.name}' would have another character set, or be computed otherwise than on the primary, and replicated values are not converted.`,
        'Migrate the primary.',
      );
    if (column.columnType.toLowerCase() !== now.columnType.toLowerCase() && !converts)
      throw refused(
        `The column '${column.name}' would have another type than on the primary, for which replication stops (error 1677).`,
        "SET GLOBAL replica_type_conversions = 'ALL_NON_LOSSY' (slave_type_conversions) and start the replication anew, or migrate the primary.",
      );
  }
  const bare = ghost.columns.slice(origin.columns.length).find(isBare);
  if (bare === undefined) return;
  throw refused(
    `The new column '${bare.name}' has no default, which replicated rows need.`,
    'Give it one, or let it be NULL.',
  );
}

function isBare({ nullable, generated, extra, default: value }: Column): boolean {
  return !nullable && !generated && value === null && !/auto_increment|default_generated/i.test(extra);
}

function refused(what: string, hint: string): Refusal {
  return new Refusal(
    'LHM_ALTER_UNSUPPORTED',
    `The replica would not take what the primary writes after this change. ${what}`,
    hint,
  );
}
