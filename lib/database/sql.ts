/** Quotes an identifier. */
export function id(name: string): string {
  return '`' + name.replaceAll('`', '``') + '`';
}

/** Quotes a table with its schema. */
export function qualified(schema: string, table: string): string {
  return `${id(schema)}.${id(table)}`;
}

/**
 * A string literal, right on the library's own sessions only: their sql_mode has backslash escapes on and
 * their character set is utf8mb4.
 */
export function text(value: string): string {
  return "'" + value.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0') + "'";
}
