import type { TableName } from '../../schema/identifier';
import { KEYS_ALONE } from '../../schema/foreign-key';
import { significant, tokenize, type Token } from '../../schema/sql-tokens';

/**
 * What a statement of the binary log means to a migration.
 *
 * - `nothing`
 * - `rows`: it changes rows of some table, and which they are is not told
 * - `table`: it changes the table, or its name
 */
export type Meaning = 'nothing' | 'rows' | 'table';

const CHANGES_ROWS = new Set([
  'INSERT',
  'UPDATE',
  'DELETE',
  'REPLACE',
  'LOAD',
  'CALL',
  'DO',
  'SELECT',
  'WITH',
  'VALUES',
]);

/**
 * Which table a statement in statement format changes cannot be told: a view, a function or a trigger may lead anywhere. So
 * every one counts, but for the `DELETE FROM other` that a server writes by itself for a MEMORY table after a restart.
 *
 * @param schema the default one of who ran it
 */
export function meaningOf(sql: string, schema: string, origin: TableName): Meaning {
  const all = tokenize(sql);
  const tokens = significant(all);
  const words = tokens.map(({ kind, value }) => (kind === 'word' ? value.toUpperCase() : ''));
  const [verb = '', second] = words;
  if (CHANGES_ROWS.has(verb)) {
    const whole = verb === 'DELETE' && second === 'FROM' && tokens.length <= 5;
    return whole && !names(tokens, schema, origin) ? 'nothing' : 'rows';
  }
  if (!['ALTER', 'TRUNCATE', 'RENAME', 'DROP'].includes(verb) || !names(tokens, schema, origin))
    return 'nothing';
  if (verb === 'RENAME') return 'table';
  // Elsewhere the name stands behind REFERENCES or ON.
  const kind =
    second === 'TEMPORARY'
      ? 'TEMPORARY'
      : words.find((word) => word === 'TABLE' || word === 'TRIGGER' || word === 'VIEW');
  if (kind === 'TEMPORARY' || kind === 'VIEW' || kind === 'TRIGGER') return 'nothing';
  if (verb !== 'ALTER') return 'table';
  // By this migration, or by one of a relative; what others make of the keys is seen in the definition, under the lock.
  if (all.some(({ kind, value }) => kind === 'comment' && value === KEYS_ALONE)) return 'nothing';
  const target = tokens.slice(0, 9);
  const end = target.findIndex(
    (token, i) => i > words.indexOf('TABLE') && isName(token) && tokens[i + 1]?.value !== '.',
  );
  return names(tokens.slice(0, end + 1), schema, origin) ? 'table' : 'nothing';
}

function isName({ kind }: Token): boolean {
  return kind === 'word' || kind === 'quoted';
}

/** Whether the table is named, in any letter case: that may be one too many, never one too few. */
function names(tokens: readonly Token[], schema: string, { schema: own, table }: TableName): boolean {
  const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();
  return tokens.some((token, i) => {
    if (!isName(token) || !same(token.value, table)) return false;
    const qualifier = tokens[i - 1]?.value === '.' ? tokens[i - 2]?.value : schema;
    return same(qualifier, own);
  });
}
