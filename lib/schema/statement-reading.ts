import { Refusal } from '../errors';
import type { AlterClause, Span } from './alter-clause';
import { indexType } from './alter-clause-add';
import { dropIndex } from './alter-clause-drop';
import { readAlterClauses } from './alter-clauses';
import { readRead, readSet } from './statement-reading-reads';
import type { Token } from './sql-tokens';
import { isWord, TokenCursor, type NameAt } from './token-cursor';

export type StatementKind = 'alter' | 'create-index' | 'drop-index' | 'read' | 'set';

/** What a statement does and to which table, found out from its tokens alone. */
export interface StatementReading {
  readonly kind: StatementKind;
  /** The table it changes or describes, with its qualifiers; empty when that is no one table. */
  readonly table: readonly NameAt[];
  /** Schema given apart from the table: `SHOW COLUMNS FROM t FROM schema`. */
  readonly schemaApart: string | null;
  readonly clauses: readonly AlterClause[];
  /** Words that would only make it fail on the private table: MariaDB's `ALTER ONLINE TABLE`. */
  readonly needless: readonly Span[];
}

/**
 * Reads one statement from its significant tokens, without a closing semicolon.
 *
 * @throws Refusal when no statement of that kind may run in an alter function
 */
export function readStatement(tokens: readonly Token[]): StatementReading {
  const cursor = new TokenCursor(tokens);
  const first = cursor.peek();
  if (first === undefined) throw unsupported('an empty statement');
  if (cursor.accept('ALTER')) return readAlter(tokens, cursor);
  if (cursor.accept('CREATE')) return readCreateIndex(tokens, cursor);
  if (cursor.accept('DROP')) return readDropIndex(tokens, cursor);
  if (cursor.accept('RENAME')) {
    throw cursor.acceptOne(['TABLE', 'TABLES']) === null ? unsupported('RENAME') : renamesTable();
  }
  const other = cursor.accept('SET') ? readSet(tokens) : readRead(tokens, cursor);
  if (other === null) throw unsupported(first.value.toUpperCase());
  return other;
}

/** Refuses a statement of a kind that has no place in an alter function. */
export function unsupported(what: string): Refusal {
  return new Refusal(
    'LHM_ALTER_UNSUPPORTED',
    `The alter function may not run ${what}.`,
    'Only ALTER TABLE, CREATE INDEX and DROP INDEX on the migrated table, reads, and SET of session variables may ' +
      'run in it. Run anything else before or after the migration.',
  );
}

export function renamesTable(): Refusal {
  return new Refusal(
    'LHM_ALTER_RENAMES_TABLE',
    'The alter function renames the table.',
    'Leave the renaming out, and rename the table in a step of its own after the migration.',
  );
}

function readAlter(tokens: readonly Token[], cursor: TokenCursor): StatementReading {
  const needless: Span[] = [];
  for (;;) {
    const word = cursor.peek();
    if (cursor.accept('IGNORE')) {
      throw unsupported('ALTER IGNORE TABLE, which silently drops rows that do not fit');
    }
    if (!word || cursor.acceptOne(['ONLINE', 'OFFLINE']) === null) break;
    needless.push({ start: word.start, end: word.end });
  }
  if (!cursor.accept('TABLE')) throw unsupported(`ALTER ${cursor.peek()?.value.toUpperCase() ?? ''}`.trim());
  cursor.accept('IF', 'EXISTS');
  const table = cursor.path();
  if (cursor.accept('WAIT')) cursor.skip();
  else cursor.accept('NOWAIT');
  const clauses = readAlterClauses(tokens, { from: cursor.position, to: tokens.length });
  return { kind: 'alter', table, schemaApart: null, clauses, needless };
}

function readCreateIndex(tokens: readonly Token[], cursor: TokenCursor): StatementReading {
  cursor.accept('OR', 'REPLACE');
  cursor.acceptOne(['ONLINE', 'OFFLINE']);
  const what = cursor.peek()?.value.toUpperCase() ?? '';
  const type = indexType(cursor);
  if (type === null) throw unsupported(`CREATE ${what}`.trim());
  cursor.accept('IF', 'NOT', 'EXISTS');
  const name = cursor.name()?.name ?? null;
  const table = tableBehindOn(cursor);
  const added: AlterClause = { kind: 'add-index', type, name, ...spanOf(tokens) };
  return {
    kind: 'create-index',
    table,
    schemaApart: null,
    clauses: [added, ...algorithmAndLock(tokens, cursor.position)],
    needless: [],
  };
}

function readDropIndex(tokens: readonly Token[], cursor: TokenCursor): StatementReading {
  const what = cursor.peek()?.value.toUpperCase() ?? '';
  if (!cursor.accept('INDEX')) throw unsupported(`DROP ${what}`.trim());
  const dropped: AlterClause = { ...dropIndex(cursor), ...spanOf(tokens) };
  const table = tableBehindOn(cursor);
  return {
    kind: 'drop-index',
    table,
    schemaApart: null,
    clauses: [dropped, ...algorithmAndLock(tokens, cursor.position)],
    needless: [],
  };
}

function tableBehindOn(cursor: TokenCursor): NameAt[] {
  while (!cursor.done && !cursor.comes('ON')) cursor.skip();
  cursor.skip();
  return cursor.path();
}

/** In CREATE INDEX and DROP INDEX these stand among the other options, without commas. */
function algorithmAndLock(tokens: readonly Token[], from: number): AlterClause[] {
  const found: AlterClause[] = [];
  for (let at = from; at < tokens.length; at += 1) {
    const option = (['ALGORITHM', 'LOCK'] as const).find((word) => isWord(tokens[at], word));
    const start = tokens[at]?.start;
    if (option === undefined || start === undefined) continue;
    const value = tokens[isWord(tokens[at + 1], '=') ? at + 2 : at + 1];
    if (value?.kind !== 'word') continue;
    found.push({
      kind: 'algorithm-or-lock',
      option,
      value: value.value.toUpperCase(),
      start,
      end: value.end,
    });
  }
  return found;
}

function spanOf(tokens: readonly Token[]): Span {
  return { start: tokens[0]?.start ?? 0, end: tokens[tokens.length - 1]?.end ?? 0 };
}
