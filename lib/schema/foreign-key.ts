import { id, qualified } from '../database/sql';
import type { TableName } from './identifier';
import { significant, tokenize, type Token } from './sql-tokens';
import { isWord, TokenCursor, type NameAt } from './token-cursor';

export type Rule = 'CASCADE' | 'SET NULL' | 'SET DEFAULT' | 'RESTRICT' | 'NO ACTION';

/**
 * Stands in every statement by which a migration changes keys of tables that are in use, its own table included: whoever
 * reads the binary log knows by it that no row was changed, and that the table is the same.
 */
export const KEYS_ALONE = '/* large-hadron-migrate: keys alone */';

/** A foreign key as SHOW CREATE TABLE tells it. */
export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly parent: TableName;
  readonly parentColumns: readonly string[];
  /** null where the definition says nothing, which is NO ACTION. */
  readonly onDelete: Rule | null;
  readonly onUpdate: Rule | null;
}

/** A key with its place in the definition. */
export interface ForeignKeyAt extends ForeignKey {
  /** From CONSTRAINT to the last rule, in offsets of the text; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly nameAt: NameAt;
  /** The parent's name with its qualifier. */
  readonly parentAt: { readonly start: number; readonly end: number };
}

/** Every foreign key of a table, from its SHOW CREATE TABLE. */
export function parseForeignKeys(createSql: string, schema: string): ForeignKeyAt[] {
  const tokens = significant(tokenize(createSql));
  const keys: ForeignKeyAt[] = [];
  for (const [at, token] of tokens.entries()) {
    if (!isWord(token, 'CONSTRAINT')) continue;
    const cursor = new TokenCursor(tokens, at + 1);
    const name = cursor.name();
    if (name === null || !cursor.accept('FOREIGN', 'KEY')) continue;
    const columns = list(cursor);
    cursor.accept('REFERENCES');
    const path = cursor.path();
    const parentColumns = list(cursor);
    const rules = { DELETE: null as Rule | null, UPDATE: null as Rule | null };
    while (cursor.accept('ON')) {
      const event = cursor.acceptOne(['DELETE', 'UPDATE']) as 'DELETE' | 'UPDATE';
      rules[event] = rule(cursor);
    }
    const parent = path.map((part) => part.name);
    keys.push({
      name: name.name,
      columns,
      parent: { schema: parent.at(-2) ?? schema, table: parent.at(-1) ?? '' },
      parentColumns,
      onDelete: rules.DELETE,
      onUpdate: rules.UPDATE,
      start: token.start,
      end: (tokens[cursor.position - 1] as Token).end,
      nameAt: name,
      parentAt: { start: path[0]?.start ?? 0, end: path.at(-1)?.end ?? 0 },
    });
  }
  return keys;
}

function list(cursor: TokenCursor): string[] {
  const names: string[] = [];
  cursor.accept('(');
  while (!cursor.done && !cursor.accept(')')) {
    const name = cursor.name();
    if (name !== null) names.push(name.name);
    else cursor.skip();
  }
  return names;
}

function rule(cursor: TokenCursor): Rule | null {
  if (cursor.accept('SET', 'NULL')) return 'SET NULL';
  if (cursor.accept('SET', 'DEFAULT')) return 'SET DEFAULT';
  if (cursor.accept('NO', 'ACTION')) return 'NO ACTION';
  return cursor.acceptOne(['CASCADE', 'RESTRICT']) as Rule | null;
}

/** Whether a change of the parent changes rows of the child, too. InnoDB takes SET DEFAULT for NO ACTION. */
export function changesRows(rule: Rule | null): boolean {
  return rule === 'CASCADE' || rule === 'SET NULL';
}

/** Whether rows of the child are changed by the server itself, which fires no trigger. */
export function cascades({ onDelete, onUpdate }: ForeignKey): boolean {
  return changesRows(onDelete) || changesRows(onUpdate);
}

export function sameTable(one: TableName, other: TableName): boolean {
  return one.schema === other.schema && one.table === other.table;
}

/** What adds the key in an ALTER TABLE. */
export function addKey(key: ForeignKey): string {
  const names = (columns: readonly string[]): string => columns.map(id).join(', ');
  return (
    `ADD CONSTRAINT ${id(key.name)} FOREIGN KEY (${names(key.columns)})` +
    ` REFERENCES ${qualified(key.parent.schema, key.parent.table)} (${names(key.parentColumns)})` +
    (key.onDelete === null ? '' : ` ON DELETE ${key.onDelete}`) +
    (key.onUpdate === null ? '' : ` ON UPDATE ${key.onUpdate}`)
  );
}

export function dropKey(name: string): string {
  return `DROP FOREIGN KEY ${id(name)}`;
}

/** In words, for errors and the plan. */
export function describeKey(child: string, key: ForeignKey): string {
  const { schema, table } = key.parent;
  return `'${key.name}' of ${child} (${key.columns.join(', ')}) to ${schema}.${table} (${key.parentColumns.join(', ')})`;
}
