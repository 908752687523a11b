import { id } from '../database/sql';
import { Refusal } from '../errors';
import type { AlterClause } from './alter-clause';
import { applyEdits, constraintEdits, strippingEdits, type Edit } from './retarget-edits';
import { refuseClauses } from './retarget-refusals';
import { readStatement, unsupported, type StatementKind, type StatementReading } from './statement-reading';
import { hasExecutableComment, significant, tokenize, type SqlModes, type Token } from './sql-tokens';
import { isWord, type NameAt } from './token-cursor';

/** The table that is migrated and its private clone, on which the user's changes are made. */
export interface RetargetTarget {
  readonly schema: string;
  readonly origin: string;
  readonly ghost: string;
  /** What the caller's Knex calls the origin, where that is another name. */
  readonly called?: string | undefined;
  /** Names of tables are the same whatever the case on this server. */
  readonly foldsCase?: boolean;
  /** Constraint of the origin → the name its copy has on the ghost, where the server wants them to differ. */
  readonly constraintNames?: ReadonlyMap<string, string> | undefined;
}

/** A statement of the user's that may run, as it is to run. */
export interface RetargetedStatement {
  /** What to send to the server. */
  readonly sql: string;
  /** The same with the origin's name, for people. */
  readonly readable: string;
  readonly kind: StatementKind;
  /** What it changes. The offsets are those of the statement as the user gave it. */
  readonly clauses: readonly AlterClause[];
}

/**
 * Turns a statement on the migrated table into one on its ghost: the table's name is replaced, ALGORITHM and LOCK
 * are taken out (nobody else sees the ghost: they could only make the statement fail), and names of constraints
 * are translated. Every other byte stays as it is, comments included.
 *
 * Names are compared exactly, but on a server with `lower_case_table_names` other than 0.
 *
 * @throws Refusal LHM_ALTER_OTHER_TABLE, LHM_ALTER_RENAMES_TABLE,
 *   LHM_ALTER_CHANGES_NOTHING, LHM_ALTER_UNSUPPORTED
 */
export function retargetStatement(
  sql: string,
  target: RetargetTarget,
  modes: SqlModes = {},
): RetargetedStatement {
  const tokens = tokenize(sql, modes);
  const code = statementTokens(tokens);
  const reading = readStatement(code);
  refuseClauses(reading);
  if (hasExecutableComment(tokens)) refuseServerDependent(sql, reading, modes);

  const { kind, clauses } = reading;
  const ours = tableEdits(reading, target);
  const edits = [
    ...strippingEdits(reading, tokens),
    ...(target.constraintNames ? constraintEdits(clauses, target.constraintNames) : []),
  ];
  return {
    sql: applyEdits(sql, [...edits, ...ours.run]),
    readable: applyEdits(sql, [...strippingEdits(reading, tokens), ...ours.show]),
    kind,
    clauses: clauses.filter((clause) => clause.kind !== 'algorithm-or-lock'),
  };
}

/** The one statement's tokens; a semicolon at the end is not part of it. */
function statementTokens(tokens: readonly Token[]): Token[] {
  const code = significant(tokens);
  while (isWord(code[code.length - 1], ';')) code.pop();
  if (code.some((token) => token.kind === 'unterminated')) {
    throw unsupported('a statement with an unterminated string, name or comment');
  }
  if (code.some((token) => isWord(token, ';'))) throw unsupported('several statements in one string');
  return code;
}

/**
 * What stands in an executable comment is run by some servers and skipped by others. That is fine for a column's
 * attribute, but where it decides which columns or tables are concerned we would have to guess.
 */
function refuseServerDependent(sql: string, reading: StatementReading, modes: SqlModes): void {
  let skipped: string | null = null;
  try {
    const tokens = tokenize(sql, { ...modes, executableComments: 'comment' });
    skipped = fingerprint(readStatement(statementTokens(tokens)));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  if (skipped === fingerprint(reading)) return;
  throw new Refusal(
    'LHM_ALTER_UNSUPPORTED',
    'What the statement does depends on an executable comment, which some servers run and others skip.',
    'Write the clauses that are meant for this server without /*! … */ around them.',
  );
}

function fingerprint({ kind, table, clauses }: StatementReading): string {
  const facts = clauses
    .filter((clause) => clause.kind !== 'algorithm-or-lock')
    .map((clause) => ({ ...clause, start: 0, end: 0 }));
  return JSON.stringify([kind, table, facts]);
}

function tableEdits({ kind, table, schemaApart }: StatementReading, target: RetargetTarget): Edits {
  const name = table[table.length - 1];
  const schema = table.length > 1 ? table[table.length - 2]?.name : (schemaApart ?? undefined);
  const same = (given: string, wanted: string): boolean =>
    given === wanted || (target.foldsCase === true && given.toLowerCase() === wanted.toLowerCase());
  const ours =
    name !== undefined &&
    table.length <= 2 &&
    (same(name.name, target.origin) || same(name.name, target.ghost)) &&
    (schema === undefined || same(schema, target.schema));
  if (name !== undefined && ours) {
    // The session's current schema need not be the table's, so an unqualified name is qualified.
    const qualifier = schema === undefined ? `${id(target.schema)}.` : '';
    return { run: [replace(name, qualifier + id(target.ghost))], show: [replace(name, id(target.origin))] };
  }
  // Reading other tables is harmless, and a SELECT or SET has no one table.
  if (kind === 'read' || kind === 'set') return { run: [], show: [] };
  const given = table.map((part) => part.name).join('.') || '(no name)';
  throw new Refusal(
    'LHM_ALTER_OTHER_TABLE',
    `The alter function changes '${given}', but the migration is of '${target.schema}.${target.origin}'.`,
    'Name the migrated table exactly as it is spelled on the server; change other tables outside the migration.',
  );
}

interface Edits {
  readonly run: readonly Edit[];
  readonly show: readonly Edit[];
}

function replace(name: NameAt, text: string): Edit {
  return { start: name.start, end: name.end, text };
}
