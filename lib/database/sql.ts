/** Quotes an identifier. */
export function id(name: string): string {
  return '`' + name.replaceAll('`', '``') + '`';
}

/** Quotes a table with its schema. */
export function qualified(schema: string, table: string): string {
  return `${id(schema)}.${id(table)}`;
}

/** A string literal that every sql_mode reads the same way. */
export function text(value: string): string {
  if (!/[\\\0]/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return `_utf8mb4 X'${Buffer.from(value).toString('hex')}'`;
}
