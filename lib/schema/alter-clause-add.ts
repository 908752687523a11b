import type { AlterAction, AlterClause, IndexType, Span } from './alter-clause';
import { closingParenthesis, splitAtCommas } from './alter-clause-split';
import type { Token } from './sql-tokens';
import { isWord, TokenCursor, type NameAt } from './token-cursor';

/** What stands behind ADD: one thing, or a list of columns (and keys and constraints) in parentheses. */
export function addClauses(tokens: readonly Token[], cursor: TokenCursor, span: Span): AlterClause[] {
  const references = referencesTable(cursor);
  const columnFollows = cursor.accept('COLUMN');
  const element = columnFollows ? null : tableElement(cursor);
  if (element !== null) return [{ ...element, ...span }];
  const ifNotExists = cursor.accept('IF', 'NOT', 'EXISTS');
  if (cursor.comes('(')) return listClauses(tokens, cursor, span, ifNotExists);
  const column = cursor.name();
  if (column === null) return [{ kind: 'other', ...span }];
  const added: AlterClause = { kind: 'add-column', names: [column.name], ifNotExists, ...span };
  return references ? [added, { ...UNNAMED_KEY, ...span }] : [added];
}

/** What an inline REFERENCES adds. */
export const UNNAMED_KEY: AlterAction = { kind: 'add-foreign-key', name: null, nameSpan: null };

/** Whether REFERENCES, a reserved word, comes anywhere in what is left. */
export function referencesTable(cursor: TokenCursor): boolean {
  for (let ahead = 0; ; ahead += 1) {
    const token = cursor.peek(ahead);
    if (token === undefined) return false;
    if (isWord(token, 'REFERENCES')) return true;
  }
}

/** One clause with all the columns of the list, then one for each key or constraint in it. */
function listClauses(
  tokens: readonly Token[],
  cursor: TokenCursor,
  span: Span,
  ifNotExists: boolean,
): AlterClause[] {
  const open = cursor.position;
  const close = closingParenthesis(tokens, open, tokens.length);
  const columns: (NameAt | null)[] = [];
  const others: AlterClause[] = [];
  for (const range of splitAtCommas(tokens, { from: open + 1, to: close })) {
    const item = new TokenCursor(tokens, range.from, range.to);
    const element = tableElement(item);
    const start = tokens[range.from]?.start ?? span.start;
    const end = tokens[range.to - 1]?.end ?? span.end;
    if (element !== null) {
      others.push({ ...element, start, end });
      continue;
    }
    columns.push(item.name());
    if (referencesTable(item)) others.push({ ...UNNAMED_KEY, start, end });
  }
  const names = columns.flatMap((column) => column?.name ?? []);
  return names.length > 0 ? [{ kind: 'add-column', names, ifNotExists, ...span }, ...others] : others;
}

/** A key, a constraint or the like; null if it must be a column. */
export function tableElement(cursor: TokenCursor): AlterAction | null {
  if (cursor.accept('CONSTRAINT')) return constraint(cursor);
  const type = indexType(cursor);
  if (type !== null) return { kind: 'add-index', type, name: indexName(cursor)?.name ?? null };
  if (cursor.accept('FOREIGN', 'KEY')) return foreignKey(null);
  if (cursor.accept('CHECK')) return { kind: 'add-constraint', name: null, nameSpan: null };
  // SYSTEM and PERIOD are names of columns, too, unless this follows.
  if (cursor.accept('SYSTEM', 'VERSIONING')) return { kind: 'add-system-versioning' };
  if (cursor.accept('PERIOD', 'FOR')) return { kind: 'other' };
  return null;
}

function constraint(cursor: TokenCursor): AlterAction {
  cursor.accept('IF', 'NOT', 'EXISTS');
  const kinds = ['CHECK', 'UNIQUE', 'PRIMARY', 'FOREIGN'];
  const named = kinds.some((word) => cursor.comes(word)) ? null : cursor.name();
  if (cursor.accept('CHECK')) {
    const nameSpan = named && { start: named.start, end: named.end };
    return { kind: 'add-constraint', name: named?.name ?? null, nameSpan };
  }
  const type = indexType(cursor);
  // A unique key's own name goes before the constraint's.
  if (type !== null) return { kind: 'add-index', type, name: indexName(cursor)?.name ?? named?.name ?? null };
  return cursor.accept('FOREIGN', 'KEY') ? foreignKey(named) : { kind: 'other' };
}

/** What stands behind FOREIGN KEY may be a name of the key's index, never of the key. */
function foreignKey(named: NameAt | null): AlterAction {
  const nameSpan = named && { start: named.start, end: named.end };
  return { kind: 'add-foreign-key', name: named?.name ?? null, nameSpan };
}

/** Passes the words that introduce an index, the optional ones included. */
export function indexType(cursor: TokenCursor): IndexType | null {
  if (cursor.accept('PRIMARY', 'KEY')) return 'primary';
  if (cursor.acceptOne(['INDEX', 'KEY']) !== null) return 'index';
  for (const type of ['UNIQUE', 'FULLTEXT', 'SPATIAL']) {
    if (!cursor.accept(type)) continue;
    cursor.acceptOne(['INDEX', 'KEY']);
    return type.toLowerCase() as IndexType;
  }
  return cursor.accept('VECTOR', 'INDEX') || cursor.accept('VECTOR', 'KEY') ? 'vector' : null;
}

function indexName(cursor: TokenCursor): NameAt | null {
  cursor.accept('IF', 'NOT', 'EXISTS');
  return cursor.comes('USING') ? null : cursor.name();
}
