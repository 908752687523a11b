/** A column as the server describes it. */
export interface Column {
  readonly name: string;
  /** The full type, e.g. `int(10) unsigned`. */
  readonly columnType: string;
  /** The type's bare name in lower case, e.g. `int`. */
  readonly dataType: string;
  readonly charset: string | null;
  readonly collation: string | null;
  readonly nullable: boolean;
  readonly generated: boolean;
  /** As SHOW COLUMNS says it; null when there is none. */
  readonly default: string | null;
  readonly extra: string;
}

export interface IndexPart {
  /** null for an expression */
  readonly column: string | null;
  readonly expression: string | null;
  /** Length of the prefix in characters; null for the whole column. */
  readonly prefix: number | null;
  /** Sorted from the largest value to the smallest. */
  readonly descending: boolean;
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  /** BTREE, FULLTEXT, SPATIAL … */
  readonly type: string;
  /** Invisible (MySQL) or ignored (MariaDB): the optimizer refuses FORCE INDEX on it. */
  readonly hidden: boolean;
  readonly parts: readonly IndexPart[];
}

export interface TriggerFacts {
  readonly name: string;
  readonly timing: string;
  readonly event: string;
  readonly body: string;
  /** When it was made: one that was dropped and made anew has missed something. */
  readonly created: string;
}

/** Everything the library knows of a table's definition, read at one moment. */
export interface TableSchema {
  readonly schema: string;
  readonly table: string;
  /** SHOW CREATE TABLE, as it came. */
  readonly createSql: string;
  readonly columns: readonly Column[];
  readonly indexes: readonly Index[];
}

/** How the options begin: MySQL puts a tablespace before the engine. */
export const ENGINE = /^\n\)(?: \/\*!\d+ TABLESPACE .*? \*\/)? ENGINE=(\w+)/;
const COUNTER = new RegExp(`(${ENGINE.source}) AUTO_INCREMENT=(\\d+)`);

/** The options of a definition: they begin on the last line that opens with the parenthesis. */
export function optionsOf(createSql: string): string {
  return createSql.slice(createSql.lastIndexOf('\n) '));
}

/** The definition without its AUTO_INCREMENT counter, which every insert changes. */
export function definitionText(createSql: string): string {
  const options = optionsOf(createSql);
  return createSql.slice(0, createSql.length - options.length) + options.replace(COUNTER, '$1');
}

/** The live AUTO_INCREMENT counter in SHOW CREATE TABLE (never cached, unlike information_schema); null if unset. */
export function autoIncrementOf(createSql: string): string | null {
  return COUNTER.exec(optionsOf(createSql))?.[3] ?? null;
}

/** The number in parentheses behind a type: a length, or digits of a second; null where there is none. */
export function lengthOf({ columnType }: Column): number | null {
  const [, length] = /\((\d+)\)/.exec(columnType) ?? [];
  return length === undefined ? null : Number(length);
}

/** Whether the server counts the column up. */
export function isCounter({ extra }: Column): boolean {
  return extra.toLowerCase().includes('auto_increment');
}

export function columnNamed(table: TableSchema, name: string): Column | undefined {
  const wanted = name.toLowerCase();
  return table.columns.find((column) => column.name.toLowerCase() === wanted);
}
