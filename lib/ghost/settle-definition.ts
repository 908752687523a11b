import { readTableSchema } from '../schema/read-table-schema';
import type { Session } from '../database/session';
import type { ServerCapabilities } from '../database/server-capabilities';
import { qualified } from '../database/sql';
import type { TableSchema } from '../schema/table-schema';

/** What may hold an expression: CHECKs, generated columns, defaults, functional indexes. */
const EXPRESSION = / CHECK \(| AS \(| DEFAULT \(| KEY .*\(\(/;

/**
 * MySQL writes an expression down anew with every ALTER of its table, and folds constants in it when the types have changed:
 * `-(1)` becomes `-1`, `0x10` becomes 16. It is made to do so now, or the ALTERs of the cut-over would look like somebody
 * else's.
 *
 * @returns the definition as it will stay
 */
export async function settleDefinition(
  session: Session,
  table: TableSchema,
  server: ServerCapabilities,
): Promise<TableSchema> {
  if (!server.foldsExpressions || !EXPRESSION.test(table.createSql)) return table;
  await session.execute(`ALTER TABLE ${qualified(table.schema, table.table)} FORCE`);
  return readTableSchema(session, table);
}
