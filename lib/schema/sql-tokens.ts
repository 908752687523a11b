import { scanToken } from './sql-token-scan';

/** The parts of `sql_mode` which change how a statement is read. */
export interface SqlModes {
  /** `"x"` is an identifier, not a string. */
  readonly ansiQuotes?: boolean | undefined;
  /** A backslash in a string is a plain character. */
  readonly noBackslashEscapes?: boolean | undefined;
}

export interface TokenizeOptions extends SqlModes {
  /**
   * Whether the contents of executable comments are code (default) or part of the comment.
   *
   * Which of the two a server does depends on its flavor and version; who must be sure looks at both readings.
   */
  readonly executableComments?: 'code' | 'comment' | undefined;
}

/**
 * - `word`: a keyword or an unquoted identifier; `value` is its text
 * - `quoted`: a quoted identifier; `value` is the name it stands for
 * - `string`: any quoted literal (`'…'`, `N'…'`, `x'…'`, `_utf8mb4'…'`); `value` is what stands between the quotes
 * - `number`, `variable` (`@x`, `@@session.x`), `punctuation` (one character): `value` is the text
 * - `comment`: a whole comment, or the opening or the end of an executable one whose contents are code
 * - `unterminated`: a string, quoted identifier or comment without an end
 */
export type TokenKind =
  'word' | 'quoted' | 'string' | 'number' | 'variable' | 'punctuation' | 'comment' | 'unterminated';

/** A piece of SQL; `start` and `end` are offsets in the text, `end` exclusive. Between tokens is only white space. */
export interface Token {
  readonly kind: TokenKind;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** Derives the modes from the server's `@@sql_mode`, where `ANSI` and the like are already spelled out. */
export function modesOfSqlMode(sqlMode: string): SqlModes {
  const set = new Set(sqlMode.toUpperCase().split(','));
  return { ansiQuotes: set.has('ANSI_QUOTES'), noBackslashEscapes: set.has('NO_BACKSLASH_ESCAPES') };
}

// The servers' idea of white space; a no-break space, which `\s` matches, is part of an identifier.
const WHITE_SPACE = /[ \t\n\v\f\r]*/y;

/**
 * Cuts a statement into tokens as MySQL and MariaDB do. Accepts any text: what cannot be read becomes
 * `punctuation` or `unterminated`.
 */
export function tokenize(sql: string, options: TokenizeOptions = {}): Token[] {
  const tokens: Token[] = [];
  // Index of the token which opened the executable comment we are in. The servers do not nest them.
  let opening: number | null = null;
  for (let at = skipWhiteSpace(sql, 0); at < sql.length; at = skipWhiteSpace(sql, at)) {
    if (opening !== null && sql.startsWith('*/', at)) {
      tokens.push({ kind: 'comment', value: '*/', start: at, end: at + 2 });
      opening = null;
    } else {
      const token = scanToken(sql, at, options, afterName(sql, tokens, at));
      if (isExecutableOpening(token)) opening = tokens.length;
      tokens.push(token);
    }
    at = tokens[tokens.length - 1]?.end ?? sql.length;
  }
  const open = opening === null ? undefined : tokens[opening];
  if (opening !== null && open) tokens[opening] = { ...open, kind: 'unterminated' };
  return tokens;
}

/** Without the comments: what the server acts upon. */
export function significant(tokens: readonly Token[]): Token[] {
  return tokens.filter((token) => token.kind !== 'comment');
}

/** Whether there is an executable comment in tokens that were read with its contents as code. */
export function hasExecutableComment(tokens: readonly Token[]): boolean {
  return tokens.some(isExecutableOpening);
}

function isExecutableOpening(token: Token): boolean {
  return token.kind === 'comment' && /^\/\*M?!\d*$/.test(token.value);
}

function skipWhiteSpace(sql: string, at: number): number {
  WHITE_SPACE.lastIndex = at;
  WHITE_SPACE.test(sql);
  return WHITE_SPACE.lastIndex;
}

/** `t.1e5` is a column of `t`: right behind a name the dot begins no number, and what follows it is a name. */
function afterName(sql: string, tokens: readonly Token[], at: number): boolean {
  const [qualifier, dot] = sql.charAt(at) === '.' ? [tokens.at(-1), null] : [tokens.at(-2), tokens.at(-1)];
  if (dot !== null && (dot?.value !== '.' || dot.end !== at)) return false;
  return qualifier?.kind === 'word' && qualifier.end === (dot?.start ?? at);
}
