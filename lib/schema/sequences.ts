import type { TableName } from './identifier';
import { significant, tokenize } from './sql-tokens';

const FUNCTIONS = new Set(['NEXTVAL', 'LASTVAL', 'SETVAL']);

/** The sequences that a definition's defaults and checks read (MariaDB), as SHOW CREATE TABLE writes them. */
export function sequencesOf(createSql: string): TableName[] {
  const tokens = significant(tokenize(createSql));
  const found = new Map<string, TableName>();
  for (const [i, token] of tokens.entries()) {
    if (token.kind !== 'word' || !FUNCTIONS.has(token.value.toUpperCase())) continue;
    const [open, schema, dot, sequence] = tokens.slice(i + 1, i + 5);
    if (open?.value !== '(' || schema?.kind !== 'quoted' || dot?.value !== '.' || sequence?.kind !== 'quoted')
      continue;
    const name = { schema: schema.value, table: sequence.value };
    found.set(JSON.stringify(name), name);
  }
  return [...found.values()];
}
