import type { Token, TokenizeOptions, TokenKind } from './sql-tokens';

// All sticky: they match at `lastIndex` or not at all.
// Two dashes begin a comment only before white space, a control character or the end: `5--1` is a subtraction.
const LINE_COMMENT = /(?:#|--(?![!-\uffff]))[^\n]*/y;
const EXECUTABLE_OPENING = /\/\*M?!(?:\d{5,6})?/y;
const PREFIXED_QUOTE = /(?:[nNxXbB]|_[0-9A-Za-z]+)(?=')/y;
const WORD = /[0-9A-Za-z$_\u0080-\uffff]+/y;
const NUMBER = /(?:0x[0-9A-Fa-f]+|0b[01]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
const VARIABLE = /@@?[0-9A-Za-z$_.\u0080-\uffff]*/y;

/** Reads the one token that begins at `at`, which is not white space. `noNumber`: none can begin there. */
export function scanToken(sql: string, at: number, options: TokenizeOptions, noNumber: boolean): Token {
  return (
    scanComment(sql, at, options) ??
    scanQuoted(sql, at, options) ??
    (noNumber ? null : scanNumber(sql, at)) ??
    scanPlain(sql, at, WORD, 'word') ??
    scanVariable(sql, at, options) ??
    token('punctuation', sql.charAt(at), at, at + 1)
  );
}

function scanComment(sql: string, at: number, options: TokenizeOptions): Token | null {
  const line = match(LINE_COMMENT, sql, at);
  if (line !== null) return token('comment', line, at, at + line.length);
  if (!sql.startsWith('/*', at)) return null;
  const opening = match(EXECUTABLE_OPENING, sql, at);
  if (opening !== null && options.executableComments !== 'comment') {
    return token('comment', opening, at, at + opening.length);
  }
  const end = endOfComment(sql, at, opening !== null);
  if (end === null) return token('unterminated', sql.slice(at), at, sql.length);
  return token('comment', sql.slice(at, end), at, end);
}

/** An executable comment that a server skips may hold plain ones, one level deep; a plain one may not. */
function endOfComment(sql: string, at: number, mayNest: boolean): number | null {
  let from = at + 2;
  for (;;) {
    const close = sql.indexOf('*/', from);
    if (close === -1) return null;
    const inner = mayNest ? sql.indexOf('/*', from) : -1;
    if (inner === -1 || inner > close) return close + 2;
    const innerClose = sql.indexOf('*/', inner + 2);
    if (innerClose === -1) return null;
    from = innerClose + 2;
  }
}

function scanQuoted(sql: string, at: number, options: TokenizeOptions): Token | null {
  const prefix = match(PREFIXED_QUOTE, sql, at) ?? '';
  const open = at + prefix.length;
  const quote = sql.charAt(open);
  const identifier = quote === '`' || (quote === '"' && options.ansiQuotes === true);
  if (!identifier && quote !== "'" && quote !== '"') return null;
  const end = endOfQuoted(sql, open, !identifier && options.noBackslashEscapes !== true);
  if (end === null) return token('unterminated', sql.slice(at), at, sql.length);
  const inner = sql.slice(open + 1, end - 1);
  return identifier
    ? token('quoted', inner.replaceAll(quote + quote, quote), at, end)
    : token('string', inner, at, end);
}

/** The offset behind the closing quote; a doubled quote and, where it escapes, a backslash do not close. */
function endOfQuoted(sql: string, open: number, backslashEscapes: boolean): number | null {
  const quote = sql.charAt(open);
  for (let at = open + 1; at < sql.length; at += 1) {
    const character = sql.charAt(at);
    if (character === '\\' && backslashEscapes) at += 1;
    else if (character === quote) {
      if (sql.charAt(at + 1) !== quote) return at + 1;
      at += 1;
    }
  }
  return null;
}

/** `1e5` and `0x1F` are numbers, `1ea` and `2fa_secret` are names: the longer reading wins. */
function scanNumber(sql: string, at: number): Token | null {
  const text = match(NUMBER, sql, at);
  if (text === null) return null;
  const word = match(WORD, sql, at) ?? '';
  if (word.length > text.length) return null;
  return token('number', text, at, at + text.length);
}

function scanVariable(sql: string, at: number, options: TokenizeOptions): Token | null {
  const text = match(VARIABLE, sql, at);
  if (text === null) return null;
  const quoted = text === '@' ? scanQuoted(sql, at + 1, options) : null;
  if (quoted === null) return token('variable', text, at, at + text.length);
  if (quoted.kind === 'unterminated') return token('unterminated', sql.slice(at), at, sql.length);
  return token('variable', '@' + quoted.value, at, quoted.end);
}

function scanPlain(sql: string, at: number, pattern: RegExp, kind: TokenKind): Token | null {
  const text = match(pattern, sql, at);
  return text === null ? null : token(kind, text, at, at + text.length);
}

function match(pattern: RegExp, sql: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? null;
}

function token(kind: TokenKind, value: string, start: number, end: number): Token {
  return { kind, value, start, end };
}
