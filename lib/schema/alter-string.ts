import { qualified } from '../database/sql';
import { retargetStatement, type RetargetedStatement, type RetargetTarget } from './retarget-statement';
import { significant, tokenize, type SqlModes } from './sql-tokens';
import { isWord, TokenCursor } from './token-cursor';

/**
 * Makes a statement of the string a user may give instead of an alter function: clauses (`ADD COLUMN x INT, ADD
 * INDEX (x)`) or, leniently, a whole ALTER TABLE, CREATE INDEX or DROP INDEX.
 *
 * @throws Refusal as {@link retargetStatement}
 */
export function alterStringToStatement(
  text: string,
  target: RetargetTarget,
  modes: SqlModes = {},
): RetargetedStatement {
  const statement = isWholeStatement(text, modes)
    ? text
    : `ALTER TABLE ${qualified(target.schema, target.origin)} ${text}`;
  return retargetStatement(statement, target, modes);
}

/** Words that begin a statement but never a clause. Those that begin both are looked at more closely. */
const STATEMENTS = [
  'CREATE',
  'INSERT',
  'UPDATE',
  'DELETE',
  'REPLACE',
  'SELECT',
  'SHOW',
  'SET',
  'CALL',
  'LOAD',
  'WITH',
];

function isWholeStatement(text: string, modes: SqlModes): boolean {
  const tokens = significant(tokenize(text, modes));
  const cursor = new TokenCursor(tokens);
  if (STATEMENTS.some((word) => cursor.comes(word))) return true;
  if (cursor.accept('ALTER')) {
    while (cursor.acceptOne(['ONLINE', 'OFFLINE', 'IGNORE']) !== null);
    return cursor.comes('TABLE');
  }
  if (cursor.comes('RENAME', 'TABLE') || cursor.comes('DROP', 'TABLE') || cursor.comes('TRUNCATE', 'TABLE'))
    return true;
  return cursor.comes('DROP', 'INDEX') && tokens.some((token) => isWord(token, 'ON'));
}
