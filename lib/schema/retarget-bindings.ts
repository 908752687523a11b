import type { RetargetTarget } from './retarget-statement';
import { significant, tokenize, type SqlModes, type Token } from './sql-tokens';
import { isWord } from './token-cursor';

/**
 * Knex asks information_schema for the definition it is going to change with the table's name as a binding:
 * `… where table_name = ?`. Such a binding is replaced by the ghost's name; all others stay.
 */
export function retargetBindings(
  sql: string,
  bindings: readonly unknown[],
  target: RetargetTarget,
  modes: SqlModes = {},
): unknown[] {
  const tokens = significant(tokenize(sql, modes));
  if (!tokens.some(isInformationSchema)) return [...bindings];
  const places = tokens.flatMap((token, index) => (isWord(token, '?') ? [index] : []));
  return bindings.map((value, index) => {
    const place = places[index];
    return (value === target.origin || (value !== undefined && value === target.called)) &&
      place !== undefined &&
      isTableName(tokens, place)
      ? target.ghost
      : value;
  });
}

function isInformationSchema({ kind, value }: Token): boolean {
  return (kind === 'word' || kind === 'quoted') && value.toLowerCase() === 'information_schema';
}

const TABLE_COLUMNS = ['table_name', 'referenced_table_name'];

/** Whether the placeholder is compared with a table's name: `table_name = ?`, `kcu.table_name in (?, ?)`. */
function isTableName(tokens: readonly Token[], placeholder: number): boolean {
  let at = placeholder - 1;
  while (isWord(tokens[at], ',') || isWord(tokens[at], '?') || isWord(tokens[at], '(')) at -= 1;
  if (!['=', 'IN', 'LIKE'].some((operator) => isWord(tokens[at], operator))) return false;
  const column = tokens[at - 1];
  if (column?.kind !== 'word' && column?.kind !== 'quoted') return false;
  return TABLE_COLUMNS.includes(column.value.toLowerCase());
}
