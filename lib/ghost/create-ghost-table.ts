import { createTaking } from '../database/create-taking';
import type { TableName } from '../schema/identifier';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { ServerCapabilities } from '../database/server-capabilities';
import { copiesOfChecks, namedChecks } from '../schema/check-names';
import { parseForeignKeys } from '../schema/foreign-key';
import { significant, tokenize } from '../schema/sql-tokens';
import { optionsOf, type TableSchema } from '../schema/table-schema';

/** SQL that creates the ghost, and what its constraints are called there. */
export interface GhostDefinition {
  readonly sql: string;
  /** Constraint of the origin → its copy on the ghost. */
  readonly constraintNames: ReadonlyMap<string, string>;
}

/**
 * The origin's SHOW CREATE TABLE with the ghost's name. CREATE TABLE … LIKE would do for the columns, but it takes
 * no account of what only the text tells (DATA DIRECTORY, and on MySQL the names of CHECK constraints).
 *
 * CHECK names are unique in a MySQL schema, so the ghost's are others: see `check-names.ts`. Names of foreign keys are
 * unique in a schema on both servers.
 *
 * @param taken names of CHECK constraints in the schema, where they are unique in it
 * @param keyNames what the foreign keys are called there, by their number; null to leave them out
 */
export function ghostDefinition(
  origin: TableSchema,
  ghost: string,
  server: ServerCapabilities,
  taken: readonly string[],
  keyNames: ((number: number) => string) | null,
): GhostDefinition {
  const { createSql } = origin;
  const tokens = significant(tokenize(createSql));
  const edits: { start: number; end: number; text: string }[] = [];
  const name = tokens.find((token) => token.kind === 'quoted');
  if (name !== undefined)
    edits.push({ start: name.start, end: name.end, text: qualified(origin.schema, ghost) });
  const checks = server.checkNamesAreGlobal ? namedChecks(tokens) : [];
  const names = checks.map(({ value }) => value);
  const constraintNames = new Map(copiesOfChecks(names, origin.table, ghost, taken));
  for (const { value, start, end } of checks)
    edits.push({ start, end, text: id(constraintNames.get(value) ?? value) });
  for (const [i, key] of parseForeignKeys(createSql, origin.schema).entries()) {
    if (keyNames === null) {
      edits.push({ start: createSql.lastIndexOf(',', key.start), end: key.end, text: '' });
      continue;
    }
    const copy = keyNames(i + 1);
    constraintNames.set(key.name, copy);
    const { schema, table } = key.parent;
    edits.push({ start: key.nameAt.start, end: key.nameAt.end, text: id(copy) });
    edits.push({ ...key.parentAt, text: qualified(schema, table) });
  }
  edits.sort((a, b) => a.start - b.start);
  let sql = createSql;
  for (const { start, end, text } of edits.reverse()) sql = sql.slice(0, start) + text + sql.slice(end);
  return { sql, constraintNames };
}

export async function createGhostTable(
  session: Session,
  name: TableName,
  { sql }: GhostDefinition,
  temporary: boolean,
  server: ServerCapabilities,
): Promise<void> {
  await createTaking(
    session,
    name,
    temporary
      ? sql.replace(/^CREATE TABLE/, 'CREATE TEMPORARY TABLE')
      : await inItsOwnFile(session, sql, server),
  );
}

/** A table with a file of its own gets a ghost with one, also where innodb_file_per_table is off by now. */
async function inItsOwnFile(session: Session, sql: string, server: ServerCapabilities): Promise<string> {
  const options = optionsOf(sql);
  if (!server.namesTablespaces || options.includes(' TABLESPACE ')) return sql;
  const [row] = await session.query<{ own: number }>('SELECT @@GLOBAL.innodb_file_per_table AS own');
  if (Number(row?.own) === 1) return sql;
  return (
    sql.slice(0, sql.length - options.length) +
    options.replace(/^\n\) /, '$&TABLESPACE innodb_file_per_table ')
  );
}
