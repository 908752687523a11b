import { createTaking } from '../database/create-taking';
import type { TableName } from '../schema/identifier';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { ServerCapabilities } from '../database/server-capabilities';
import { parseForeignKeys } from '../schema/foreign-key';
import { significant, tokenize, type Token } from '../schema/sql-tokens';
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
 * CHECK names are unique in a MySQL schema. The servers rename a constraint called `<table>_chk_…` with its table, so
 * copies named after the ghost become named after the table at the swap; others keep a name of their own. Names of
 * foreign keys are unique in a schema on both servers.
 *
 * @param keyNames what the foreign keys are called there, by their number; null to leave them out
 */
export function ghostDefinition(
  origin: TableSchema,
  ghost: string,
  server: ServerCapabilities,
  keyNames: ((number: number) => string) | null,
): GhostDefinition {
  const { createSql } = origin;
  const tokens = significant(tokenize(createSql));
  const edits: { start: number; end: number; text: string }[] = [];
  const constraintNames = new Map<string, string>();
  const name = tokens.find((token) => token.kind === 'quoted');
  if (name !== undefined)
    edits.push({ start: name.start, end: name.end, text: qualified(origin.schema, ghost) });
  if (server.checkNamesAreGlobal) {
    for (const [i, token] of tokens.entries()) {
      const constraint = tokens[i + 1];
      if (!isWord(token, 'CONSTRAINT') || !isWord(tokens[i + 2], 'CHECK') || constraint?.kind !== 'quoted')
        continue;
      const copy = constraintCopy(constraint.value, origin.table, ghost);
      constraintNames.set(constraint.value, copy);
      edits.push({ start: constraint.start, end: constraint.end, text: id(copy) });
    }
  }
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

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.value.toUpperCase() === word;
}

function constraintCopy(name: string, table: string, ghost: string): string {
  const prefix = `${table}_chk_`;
  const copy = name.startsWith(prefix) ? `${ghost}_chk_${name.slice(prefix.length)}` : `${name}_lhmn`;
  return Array.from(copy).slice(0, 64).join('');
}
