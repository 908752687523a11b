/** A column as `information_schema` tells it. */
export interface ColumnFacts {
  readonly name: string;
  /** The type's bare name in lower case: `int`, `varchar` … */
  readonly dataType: string;
  /** The full type: `int(10) unsigned`. */
  readonly columnType: string;
  /** null where it has none. */
  readonly charset: string | null;
}

/** A table whose rows are wanted. */
export interface StreamedTable {
  /** Given back with its events. */
  readonly key: string;
  readonly schema: string;
  readonly table: string;
  /** All of its columns, in its order. */
  readonly columns: readonly ColumnFacts[];
  /** Names of the columns to decode. Images have their values in this order. */
  readonly wanted: readonly string[];
}
