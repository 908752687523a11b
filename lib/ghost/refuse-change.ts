import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { Refusal } from '../errors';
import { convertsAsNative } from '../schema/conversion-support';
import { tokenize } from '../schema/sql-tokens';
import type { TablePair } from '../schema/table-pair';
import {
  columnNamed,
  isCounter,
  definitionText,
  ENGINE,
  optionsOf,
  type TableSchema,
} from '../schema/table-schema';
import type { AlterOutcome } from './run-alter';

/** Only InnoDB has the transactions that everything here rests on. */
export function refuseEngine({ createSql }: TableSchema): void {
  const engine = ENGINE.exec(optionsOf(createSql))?.[1];
  if (engine === undefined || engine.toLowerCase() === 'innodb') return;
  throw new Refusal(
    'LHM_UNSUPPORTED_ENGINE',
    `The ALTER changes the engine to ${engine}, which has no transactions.`,
    'Change the engine with a native ALTER TABLE.',
  );
}

/** Where copying would make another value of it than an ALTER does, it is for the user to say which is meant. */
export function refuseConversions(
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, string>,
): void {
  for (const [from, to] of mapping) {
    const [before, after] = [columnNamed(origin, from), columnNamed(ghost, to)];
    if (before === undefined || after === undefined || after.generated) continue;
    if (values.has(to.toLowerCase()) || convertsAsNative(before, after)) continue;
    throw new Refusal(
      'LHM_CONVERSION_UNSUPPORTED',
      `Column '${from}' is converted from ${before.columnType} to ${after.columnType}, which the server does in one way in an ALTER and in another way in a copy.`,
      `Say how it is meant: ctx.values['${to}'] = an SQL expression over the old row; or use a native ALTER TABLE.`,
    );
  }
}

/** Under the modes that the library's own statements cannot bear, the same expression means another thing. */
const AMBIGUOUS: readonly {
  readonly mode: string;
  readonly holds: string;
  readonly found: (value: string) => boolean;
  readonly instead: string;
}[] = [
  {
    ...{ mode: 'NO_BACKSLASH_ESCAPES', holds: 'a \\', instead: 'Write it without: CHAR(92) is one.' },
    found: (value) => value.includes('\\'),
  },
  {
    ...{ mode: 'ANSI_QUOTES', holds: 'a "' },
    instead: 'Write it without: names in back-ticks, texts in single quotes.',
    found: (value) => value.includes('"'),
  },
  {
    ...{ mode: 'EMPTY_STRING_IS_NULL', holds: "''", instead: 'Write NULL where that is meant.' },
    found: (value) => tokenize(value).some(({ kind, value: text }) => kind === 'string' && text === ''),
  },
  {
    // Its own ||, CONCAT, SUBSTR, LENGTH, TRIM and more.
    ...{ mode: 'ORACLE', holds: 'an expression', found: () => true },
    instead: 'Fill the column afterwards, in a step of its own.',
  },
];

export function refuseAmbiguous(sqlMode: string, values: ReadonlyMap<string, string>): void {
  const modes = sqlMode.toUpperCase().split(',');
  for (const [name, value] of values) {
    for (const { mode, holds, found, instead } of AMBIGUOUS) {
      if (!modes.includes(mode) || !found(value)) continue;
      throw new Refusal(
        'LHM_BAD_VALUES',
        `The value of '${name}' holds ${holds}, which means another thing under the server's ${mode}.`,
        instead,
      );
    }
  }
}

/** Clauses that change something which does not show in the definition. */
const REBUILDS = new Set(['engine', 'force', 'order-by', 'auto-increment']);

export function refuseNothing(
  before: string,
  ghost: TableSchema,
  outcome: AlterOutcome,
  values: ReadonlyMap<string, string>,
): void {
  const rebuilds = outcome.changes.some(({ clauses }) => clauses.some((clause) => REBUILDS.has(clause.kind)));
  if (rebuilds || values.size > 0 || definitionText(before) !== definitionText(ghost.createSql)) return;
  throw new Refusal(
    'LHM_ALTER_CHANGES_NOTHING',
    'The table already is what the ALTER makes of it.',
    'If the change was made before, mark the migration as done; to rebuild the table as it is, use FORCE.',
  );
}

/** A native ALTER refuses to fill a new NOT NULL date with zeros under NO_ZERO_DATE; so does this. */
export async function refuseZeroDates(session: Session, sqlMode: string, pair: TablePair): Promise<void> {
  if (!/\bNO_ZERO_DATE\b/i.test(sqlMode)) return;
  const zero = pair.columns.find(({ expression }) => expression.startsWith("'0000-00-00"));
  if (zero === undefined || !(await hasRows(session, pair))) return;
  throw new Refusal(
    'LHM_BAD_VALUES',
    `The new column '${zero.target}' is NOT NULL and has no default, and the server's sql_mode forbids the date 0000-00-00.`,
    `Give it a default, or say what it is filled with: ctx.values['${zero.target}'] = 'CURRENT_DATE'.`,
  );
}

/** Geometries and vectors have no zero of their own. */
export async function refuseUnfilled(session: Session, pair: TablePair): Promise<void> {
  const filled = new Set(pair.columns.map(({ target }) => target));
  const column = pair.ghost.columns.find(
    (one) =>
      !one.generated && !one.nullable && one.default === null && !isCounter(one) && !filled.has(one.name),
  );
  if (column === undefined || !(await hasRows(session, pair))) return;
  throw new Refusal(
    'LHM_BAD_VALUES',
    `The new column '${column.name}' is NOT NULL, has no default, and there is no ${column.columnType} that every row could get.`,
    `Say what it is filled with: ctx.values['${column.name}'] = an SQL expression over the old row.`,
  );
}

async function hasRows(session: Session, { schema, origin }: TablePair): Promise<boolean> {
  const rows = await session.query(`SELECT 1 FROM ${qualified(schema, origin.table)} LIMIT 1`);
  await session.execute('COMMIT');
  return rows.length > 0;
}
