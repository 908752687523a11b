import type { Knex } from 'knex';
import type { CollectingTableBuilder, KnexClient } from './knex-internals';

/**
 * Makes a table builder that only collects. Knex's own callback must be synchronous, because Knex compiles as soon
 * as it returns; with a builder of its own an alter function may be async.
 */
export function collectStatements(knex: Knex, table: string): Knex.AlterTableBuilder {
  const client = knex.client as KnexClient;
  const builder = client.tableBuilder('alter', table, null, () => undefined) as Knex.TableBuilder & {
    toSQL(): unknown;
  };
  // Compiles nothing as yet; but it is here that Knex adds the methods for ALTER (renameColumn, dropColumn …).
  builder.toSQL();
  return builder;
}

/**
 * Runs what a builder has collected, as `schema.alterTable` would: statement by statement, those in two phases
 * included.
 *
 * @param check called with every statement before the first one runs; throws if it must not
 */
export async function runCollected(
  knex: Knex,
  table: string,
  collected: Knex.AlterTableBuilder,
  check: (sql: string) => void,
): Promise<void> {
  const { _statements, _single, _queryContext } = collected as unknown as CollectingTableBuilder;
  const alterTable = (): Knex.SchemaBuilder =>
    knex.schema.alterTable(table, (t) => {
      Object.assign(t, { _statements, _single, _queryContext });
    });
  // Some statements are compiled according to the server's version, which Knex learns with its connection.
  await (knex.client as KnexClient).acquireConnection();
  for (const { sql } of [alterTable().toSQL()].flat()) check(sql);
  await alterTable();
}
