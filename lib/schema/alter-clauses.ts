import type { AlterAction, AlterClause } from './alter-clause';
import { addClauses, referencesTable, UNNAMED_KEY } from './alter-clause-add';
import { alterAction, changeAction, modifyAction, renameAction } from './alter-clause-change';
import { dropAction } from './alter-clause-drop';
import { optionClauses } from './alter-clause-options';
import { partitionAction } from './alter-clause-partition';
import { splitClauses, type TokenRange } from './alter-clause-split';
import { significant, tokenize, type SqlModes, type Token } from './sql-tokens';
import { TokenCursor } from './token-cursor';

export type { AlterAction, AlterClause, IndexType, Span } from './alter-clause';

/**
 * Recognises the clauses of an ALTER TABLE: `ADD COLUMN x INT, DROP y`. Both servers' grammars are understood; what
 * neither knows becomes `other`, for the server to complain about.
 */
export function parseAlterClauses(sql: string, modes: SqlModes = {}): AlterClause[] {
  const tokens = significant(tokenize(sql, modes));
  return readAlterClauses(tokens, { from: 0, to: tokens.length });
}

/** The same for a run of significant tokens of a longer statement. */
export function readAlterClauses(tokens: readonly Token[], range: TokenRange): AlterClause[] {
  return splitClauses(tokens, range).flatMap((clause) => recognise(tokens, clause));
}

function recognise(tokens: readonly Token[], range: TokenRange): AlterClause[] {
  const cursor = new TokenCursor(tokens, range.from, range.to);
  const span = spanOf(tokens, range);
  const whole = (action: AlterAction): AlterClause[] => [{ ...action, ...span }];

  const partition = partitionAction(cursor);
  if (partition !== null) return whole(partition);
  if (cursor.accept('ADD')) return addClauses(tokens, cursor, span);
  if (cursor.accept('DROP')) return whole(dropAction(cursor));
  if (cursor.accept('RENAME')) return whole(renameAction(cursor));
  for (const [word, read] of COLUMN_ACTIONS) {
    if (!cursor.accept(word)) continue;
    const references = referencesTable(cursor);
    const changed = whole(read(cursor));
    return references ? [...changed, ...whole(UNNAMED_KEY)] : changed;
  }
  if (cursor.accept('ALTER')) return whole(alterAction(cursor));
  if (cursor.accept('ORDER', 'BY')) return whole({ kind: 'order-by' });
  return optionClauses(tokens, cursor);
}

const COLUMN_ACTIONS = [
  ['CHANGE', changeAction],
  ['MODIFY', modifyAction],
] as const;

function spanOf(tokens: readonly Token[], { from, to }: TokenRange): { start: number; end: number } {
  return { start: tokens[from]?.start ?? 0, end: tokens[to - 1]?.end ?? 0 };
}
