import type { Token } from './sql-tokens';
import { isWord } from './token-cursor';

/** A run of tokens: indexes, `to` exclusive. */
export interface TokenRange {
  readonly from: number;
  readonly to: number;
}

/** Cuts a run of tokens at its commas; those inside parentheses do not count. */
export function splitAtCommas(tokens: readonly Token[], { from, to }: TokenRange): TokenRange[] {
  const ranges: TokenRange[] = [];
  let depth = 0;
  let begin = from;
  for (let at = from; at < to; at += 1) {
    depth += depthChange(tokens[at]);
    if (depth === 0 && isWord(tokens[at], ',')) {
      ranges.push({ from: begin, to: at });
      begin = at + 1;
    }
  }
  ranges.push({ from: begin, to });
  return ranges.filter((range) => range.from < range.to);
}

/**
 * Cuts the part behind `ALTER TABLE name` into clauses.
 *
 * Not every comma ends a clause: `ORDER BY a, b` and `DROP PARTITION p0, p1` go on to the end. Not every clause
 * begins behind a comma: `PARTITION BY …` and `REMOVE PARTITIONING` follow the last one directly.
 */
export function splitClauses(tokens: readonly Token[], range: TokenRange): TokenRange[] {
  const clauses: TokenRange[] = [];
  const chunks = splitAtCommas(tokens, range);
  for (const [index, chunk] of chunks.entries()) {
    const list = takesTheRest(tokens, chunk.from);
    clauses.push(...splitAtPartitioning(tokens, list ? { from: chunk.from, to: range.to } : chunk));
    if (list && index < chunks.length - 1) break;
  }
  return clauses;
}

/** The index of the parenthesis that closes the one at `open`; the end of the range if none does. */
export function closingParenthesis(tokens: readonly Token[], open: number, to: number): number {
  let depth = 0;
  for (let at = open; at < to; at += 1) {
    depth += depthChange(tokens[at]);
    if (depth === 0) return at;
  }
  return to;
}

function depthChange(token: Token | undefined): number {
  if (isWord(token, '(')) return 1;
  return isWord(token, ')') ? -1 : 0;
}

const PARTITION_LISTS = [
  'DROP',
  'TRUNCATE',
  'REORGANIZE',
  'REBUILD',
  'OPTIMIZE',
  'ANALYZE',
  'CHECK',
  'REPAIR',
];
const PARTITION_SPACES = ['DISCARD', 'IMPORT'];

function takesTheRest(tokens: readonly Token[], at: number): boolean {
  const [first, second] = [tokens[at], tokens[at + 1]];
  if (isWord(first, 'ORDER') && isWord(second, 'BY')) return true;
  return (
    isWord(second, 'PARTITION') &&
    [...PARTITION_LISTS, ...PARTITION_SPACES].some((word) => isWord(first, word))
  );
}

function splitAtPartitioning(tokens: readonly Token[], { from, to }: TokenRange): TokenRange[] {
  let depth = 0;
  for (let at = from; at < to; at += 1) {
    depth += depthChange(tokens[at]);
    if (depth !== 0 || at === from) continue;
    const begins =
      (isWord(tokens[at], 'PARTITION') && isWord(tokens[at + 1], 'BY')) ||
      (isWord(tokens[at], 'REMOVE') && isWord(tokens[at + 1], 'PARTITIONING'));
    if (begins) {
      return [
        { from, to: at },
        { from: at, to },
      ];
    }
  }
  return [{ from, to }];
}
