import { Refusal } from '../errors';

export interface TableName {
  readonly schema: string;
  readonly table: string;
  /** What the caller's Knex calls it, where that is another name. */
  readonly called?: string | undefined;
}

/**
 * Reads `'emails'` or `'schema.emails'`.
 *
 * @throws Refusal LHM_BAD_TABLE_NAME
 */
export function parseTableName(name: unknown, defaultSchema: string | null): TableName {
  const hint = "Pass the table as 'emails' or 'schema.emails'.";
  if (typeof name !== 'string' || name === '') {
    throw new Refusal(
      'LHM_BAD_TABLE_NAME',
      `The table's name must be a string, got ${describe(name)}.`,
      hint,
    );
  }
  const parts = name.split('.');
  const [schema, table] = parts.length === 1 ? [defaultSchema, parts[0]] : parts;
  if (parts.length > 2 || !table || schema === '') {
    throw new Refusal('LHM_BAD_TABLE_NAME', `'${name}' is not a table's name.`, hint);
  }
  if (/[\u{10000}-\u{10ffff}]/u.test(name)) {
    throw new Refusal(
      'LHM_BAD_TABLE_NAME',
      `No name on these servers can hold such characters as are in '${name}'.`,
      'MySQL makes question marks of them: look how the table is really called (SHOW TABLES).',
    );
  }
  if (!schema) {
    throw new Refusal(
      'LHM_BAD_TABLE_NAME',
      `The connection names no database, so '${name}' could be in any.`,
      "Name the database in the Knex connection, or pass 'schema.table'.",
    );
  }
  return { schema, table };
}

function describe(value: unknown): string {
  return value === null ? 'null' : value === '' ? 'an empty string' : typeof value;
}
