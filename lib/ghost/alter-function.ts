import type { Knex } from 'knex';

/** What an alter function gets beside Knex's builder. */
export interface AlterContext {
  /** The new table's name, for raw SQL: `` ctx.raw('ALTER TABLE ?? ADD INDEX (a)', [ctx.ghostTable]) ``. */
  readonly ghostTable: string;
  /**
   * Runs a statement at once, before those of the builder: ALTER TABLE, CREATE INDEX or DROP INDEX on the table
   * (under its own name or the ghost's), a read, or SET. Resolves with what Knex's `raw` would, but for values, which are
   * exact whatever the connection's options: dates, decimals, large integers and JSON come as strings. It need not be
   * awaited: the migration waits for it, and fails if it failed.
   */
  raw(sql: string, bindings?: readonly unknown[] | Readonly<Record<string, unknown>>): Promise<unknown>;
  /**
   * New column → SQL expression over the old row's columns: what the column is filled with, instead of the old
   * column's value or the default. The column may be named as in the builder, also where Knex maps names
   * (`wrapIdentifier`); the expression is SQL as it stands.
   */
  readonly values: Record<string, string>;
}

/**
 * Describes the change of a table: through Knex's builder `t`, whose statements run once the function is done, and
 * through `ctx`.
 */
export type AlterFunction = (t: Knex.AlterTableBuilder, ctx: AlterContext) => void | Promise<void>;
