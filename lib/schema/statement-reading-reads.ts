import { Refusal } from '../errors';
import type { StatementReading } from './statement-reading';
import type { Token } from './sql-tokens';
import { isWord, type TokenCursor } from './token-cursor';

/**
 * SELECT, SHOW and DESCRIBE; null for anything else. Of SHOW and DESCRIBE the table matters, because Knex reads
 * the definition it is going to change; a SELECT reads what it names.
 */
export function readRead(tokens: readonly Token[], cursor: TokenCursor): StatementReading | null {
  const reading: StatementReading = { kind: 'read', table: [], schemaApart: null, clauses: [], needless: [] };
  if (cursor.accept('SHOW')) return { ...reading, ...shownTable(cursor) };
  if (cursor.acceptOne(['DESCRIBE', 'DESC', 'EXPLAIN']) !== null) {
    if (changesRows(tokens)) return null;
    const word = cursor.peek()?.kind === 'word' && EXPLAINABLE.some((keyword) => cursor.comes(keyword));
    return word ? reading : { ...reading, table: cursor.path() };
  }
  const selects = cursor.comes('SELECT') || cursor.comes('(') || cursor.comes('WITH');
  if (!selects || changesRows(tokens) || writesFile(tokens)) return null;
  return reading;
}

/**
 * SET of session and user variables.
 *
 * @throws Refusal when it reaches beyond the session
 */
export function readSet(tokens: readonly Token[]): StatementReading {
  for (const [index, token] of tokens.entries()) {
    const assigns = index > 0 && (isWord(tokens[index - 1], 'SET') || isWord(tokens[index - 1], ','));
    if (assigns && BEYOND_SESSION.test(token.value)) {
      throw new Refusal(
        'LHM_ALTER_UNSUPPORTED',
        `The alter function may not run SET ${token.value.toUpperCase()}: it reaches beyond the migration's session.`,
        'Set only session variables in the alter function; make other settings before the migration.',
      );
    }
  }
  return { kind: 'set', table: [], schemaApart: null, clauses: [], needless: [] };
}

const BEYOND_SESSION =
  /^(?:global|persist|persist_only|password|role|default|resource|statement|@@(?:global|persist|persist_only)\..*)$/i;

/** What may follow EXPLAIN instead of a table. */
const EXPLAINABLE = ['SELECT', 'ANALYZE', 'EXTENDED', 'PARTITIONS', 'FORMAT', 'FOR', 'TABLE', 'WITH', 'INTO'];

function shownTable(cursor: TokenCursor): Pick<StatementReading, 'table' | 'schemaApart'> {
  if (cursor.accept('CREATE', 'TABLE')) return { table: cursor.path(), schemaApart: null };
  cursor.accept('EXTENDED');
  cursor.accept('FULL');
  const lists = cursor.acceptOne(['COLUMNS', 'FIELDS', 'INDEX', 'INDEXES', 'KEYS']);
  if (lists === null || cursor.acceptOne(['FROM', 'IN']) === null) return { table: [], schemaApart: null };
  const table = cursor.path();
  const schema = cursor.acceptOne(['FROM', 'IN']) === null ? null : cursor.name();
  return { table, schemaApart: schema?.name ?? null };
}

/** WITH and EXPLAIN may introduce statements that change rows. `FOR UPDATE` does not. */
function changesRows(tokens: readonly Token[]): boolean {
  return tokens.some(
    (token, index) =>
      ['INSERT', 'REPLACE', 'UPDATE', 'DELETE'].some((word) => isWord(token, word)) &&
      !isWord(tokens[index - 1], 'FOR') &&
      // `insert(…)` and `replace(…)` are functions.
      !isWord(tokens[index + 1], '('),
  );
}

function writesFile(tokens: readonly Token[]): boolean {
  return tokens.some(
    (token, index) =>
      isWord(token, 'INTO') &&
      (isWord(tokens[index + 1], 'OUTFILE') || isWord(tokens[index + 1], 'DUMPFILE')),
  );
}
