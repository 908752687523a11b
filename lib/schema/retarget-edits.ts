import { id } from '../database/sql';
import type { AlterClause, Span } from './alter-clause';
import type { StatementReading } from './statement-reading';
import type { Token } from './sql-tokens';
import { isWord } from './token-cursor';

/** Replaces `[start, end)` of a text. */
export interface Edit extends Span {
  readonly text: string;
}

/** Applies edits that do not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}

/** Takes ALGORITHM and LOCK out, each with one comma, and other words that mean nothing on a private table. */
export function strippingEdits(reading: StatementReading, tokens: readonly Token[]): Edit[] {
  const gone = new Set<Token>();
  for (const clause of reading.clauses) {
    if (clause.kind !== 'algorithm-or-lock') continue;
    const own = tokens.filter((token) => token.start >= clause.start && token.end <= clause.end);
    // Comments stay: an executable one may end within the clause.
    for (const token of own) if (token.kind !== 'comment') gone.add(token);
    const comma = neighbouringComma(clause, tokens, gone);
    if (comma !== null) gone.add(comma);
  }
  const spans: Span[] = [...gone, ...reading.needless];
  return spans.map(({ start, end }) => ({ start, end, text: '' }));
}

/** The comma behind the clause; before it, if there is none. Commas that are gone already do not count. */
function neighbouringComma(clause: Span, tokens: readonly Token[], gone: ReadonlySet<Token>): Token | null {
  const left = tokens.filter((token) => token.kind !== 'comment' && !gone.has(token));
  const behind = left.find((token) => token.start >= clause.end);
  if (isWord(behind, ',')) return behind ?? null;
  const before = left.findLast((token) => token.end <= clause.start);
  return isWord(before, ',') ? (before ?? null) : null;
}

/** Gives constraints the names they have on the ghost. A check that is added gets the name its predecessor has. */
export function constraintEdits(clauses: readonly AlterClause[], names: ReadonlyMap<string, string>): Edit[] {
  const edits: Edit[] = [];
  for (const clause of clauses) {
    if (!('nameSpan' in clause) || clause.nameSpan === null || clause.name === null) continue;
    const name = names.get(clause.name) ?? namedAlike(names, clause.name);
    if (name !== undefined) edits.push({ ...clause.nameSpan, text: id(name) });
  }
  return edits;
}

/** The servers find most constraints whatever the case. */
function namedAlike(names: ReadonlyMap<string, string>, wanted: string): string | undefined {
  return [...names].find(([name]) => name.toLowerCase() === wanted.toLowerCase())?.[1];
}
