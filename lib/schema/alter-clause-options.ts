import type { AlterAction, AlterClause } from './alter-clause';
import { closingParenthesis } from './alter-clause-split';
import type { Token } from './sql-tokens';
import type { TokenCursor } from './token-cursor';

/**
 * Table options and the few clauses of the same form. Options need no commas between them, so one run of tokens
 * can hold several: `ENGINE=InnoDB AUTO_INCREMENT=7 COMMENT='x'`.
 */
export function optionClauses(tokens: readonly Token[], cursor: TokenCursor): AlterClause[] {
  const clauses: AlterClause[] = [];
  while (!cursor.done) {
    const from = cursor.position;
    const action = option(tokens, cursor);
    const start = tokens[from]?.start ?? 0;
    clauses.push({ ...action, start, end: tokens[cursor.position - 1]?.end ?? start });
  }
  return clauses;
}

function option(tokens: readonly Token[], cursor: TokenCursor): AlterAction {
  if (cursor.accept('FORCE')) return { kind: 'force' };
  if (cursor.accept('CONVERT', 'TO')) return convertCharset(tokens, cursor);
  if (cursor.accept('WITH', 'SYSTEM', 'VERSIONING')) return { kind: 'add-system-versioning' };
  for (const word of ['ALGORITHM', 'LOCK'] as const) {
    if (cursor.accept(word)) {
      return { kind: 'algorithm-or-lock', option: word, value: value(tokens, cursor).toUpperCase() };
    }
  }
  if (cursor.accept('ENGINE')) return { kind: 'engine', engine: value(tokens, cursor) };
  if (cursor.accept('AUTO_INCREMENT')) return { kind: 'auto-increment', value: value(tokens, cursor) };
  if (!TWO_WORDS.some((words) => cursor.accept(...words))) {
    cursor.accept('DEFAULT');
    if (!TWO_WORDS.some((words) => cursor.accept(...words))) cursor.skip();
  }
  value(tokens, cursor);
  return { kind: 'other' };
}

/** Options and clauses whose name has two words; the last two take no value but end what they stand in anyway. */
const TWO_WORDS: readonly (readonly string[])[] = [
  ['CHARACTER', 'SET'],
  ['CHAR', 'SET'],
  ['DATA', 'DIRECTORY'],
  ['INDEX', 'DIRECTORY'],
  ['ENABLE', 'KEYS'],
  ['DISABLE', 'KEYS'],
];

function convertCharset(tokens: readonly Token[], cursor: TokenCursor): AlterAction {
  const named = [['CHARACTER', 'SET'], ['CHAR', 'SET'], ['CHARSET']].some((words) => cursor.accept(...words));
  if (!named) return { kind: 'other' };
  const charset = value(tokens, cursor);
  const collation = cursor.accept('COLLATE') ? value(tokens, cursor) : null;
  return { kind: 'convert-charset', charset, collation };
}

/** Passes `[=] value` and returns the value's text; a list in parentheses is passed whole. */
function value(tokens: readonly Token[], cursor: TokenCursor): string {
  cursor.accept('=');
  const token = cursor.peek();
  if (token === undefined) return '';
  if (cursor.comes('(')) {
    const close = closingParenthesis(tokens, cursor.position, tokens.length);
    cursor.skip(close - cursor.position);
  }
  cursor.skip();
  return token.value;
}
