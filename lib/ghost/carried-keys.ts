import { Refusal } from '../errors';
import { id } from '../database/sql';
import {
  cascades,
  changesRows,
  describeKey,
  sameTable,
  type ForeignKey,
  type Rule,
} from '../schema/foreign-key';
import type { ChildKey } from '../schema/read-foreign-keys';
import { tokenize } from '../schema/sql-tokens';
import { columnNamed, type TableSchema } from '../schema/table-schema';

export interface CarriedInput {
  readonly origin: TableSchema;
  readonly ghost: TableSchema;
  readonly mapping: ReadonlyMap<string, string>;
  readonly values: ReadonlyMap<string, string>;
  /** The server makes cascades by statements of its own, which fail where a table that cascades to itself has another child. */
  readonly cascadesBySql: boolean;
  /** Keys of other tables that lead to this one. */
  readonly children: readonly ChildKey[];
  readonly name: (number: number) => string;
}

/**
 * The keys that the ghost bears while rows are copied. What a cascade does to rows of the origin fires no trigger, so it
 * has to reach the ghost by a key of its own. Keys that would only refuse something stay away: rows of the ghost may be
 * out of date, and the application would get an error for one of them; for the same reason RESTRICT becomes CASCADE: a
 * row that is out of date waits in the journal, and comes back from there.
 *
 * @throws Refusal LHM_FOREIGN_KEYS for a cascade that the ghost could not follow
 */
export function carriedKeys(own: readonly ForeignKey[], input: CarriedInput): ForeignKey[] {
  const cascading = own.filter(cascades);
  const carried = cascading.flatMap((key, i) => carry(key, input, input.name(i + 1)) ?? []);
  const self = cascading.find((key) => sameTable(key.parent, input.origin) && key.onDelete === 'CASCADE');
  if (self !== undefined && input.cascadesBySql) {
    throw refused(
      input,
      self,
      'cascades to the table itself, which this server (innodb_native_foreign_keys = OFF) cannot do for a second table at the same time: the application would get error 6575',
    );
  }
  return carried;
}

function carry(key: ForeignKey, input: CarriedInput, name: string): ForeignKey | null {
  const { origin, ghost, mapping, values } = input;
  const columns: string[] = [];
  for (const column of key.columns) {
    const target = mapping.get(columnNamed(origin, column)?.name ?? column);
    const found = target === undefined ? undefined : columnNamed(ghost, target);
    if (found !== undefined && !found.generated) columns.push(found.name);
  }
  // Nothing is left that it could change, and it takes no rows away.
  if (columns.length === 0 && key.onDelete !== 'CASCADE') return null;
  if (columns.length < key.columns.length) {
    throw refused(input, key, 'changes rows by cascade, and the ALTER drops a column of it');
  }
  if (columns.some((column) => values.has(column.toLowerCase()))) {
    throw refused(input, key, 'changes rows by cascade, and a column of it is filled by an expression');
  }
  const rewrites = changesRows(key.onUpdate) || key.onDelete === 'SET NULL';
  const reader = [...values].find(([, value]) => rewrites && mentions(value, key.columns));
  if (reader !== undefined) {
    throw refused(
      input,
      key,
      `changes columns by cascade that the value of '${reader[0]}' is made of, which would not follow`,
    );
  }
  const [derived] = rewrites ? derivedFrom(columns, ghost, origin) : [];
  if (derived !== undefined) {
    throw refused(
      input,
      key,
      `changes columns by cascade that ${derived} of the new table is made of: the application could get an error for it`,
    );
  }
  refuseKept(key, input);
  const widened = (rule: Rule | null): Rule => (changesRows(rule) && rule !== null ? rule : 'CASCADE');
  return { ...key, name, columns, onDelete: widened(key.onDelete), onUpdate: widened(key.onUpdate) };
}

/**
 * What is made of the columns of a key on the ghost and not on the origin: a unique index, a generated column, an index on
 * an expression. A cascade that it refuses would refuse the application's own statement, or be done by halves.
 */
function derivedFrom(columns: readonly string[], ghost: TableSchema, origin: TableSchema): string[] {
  const before = new Set(definitionsOf(origin));
  const found = definitionsOf(ghost).filter((line) => !before.has(line));
  const named = new Set(columns.map((column) => column.toLowerCase()));
  const generated: string[] = [];
  for (const line of found) {
    const column = /^`((?:[^`]|``)+)` .*\bAS \(/.exec(line)?.[1];
    if (column === undefined || !mentions(line.slice(line.indexOf(' AS (')), [...named])) continue;
    generated.push(`the generated column '${column}'`);
  }
  const indexes = found.filter(
    (line) => /^(?:UNIQUE |PRIMARY )KEY /.test(line) || (/^KEY /.test(line) && line.includes('((')),
  );
  const made = indexes.filter((line) => mentions(line.slice(line.indexOf('(')), [...named]));
  return [...generated, ...made.map((line) => `the index '${/`((?:[^`]|``)+)`/.exec(line)?.[1] ?? ''}'`)];
}

/** The lines of a definition, without commas. */
function definitionsOf({ createSql }: TableSchema): string[] {
  return createSql.split('\n').map((line) => line.trim().replace(/,$/, ''));
}

/** A child that keeps a row from being changed is not on the ghost: with IGNORE the origin's row stays, and the ghost's is changed. */
function refuseKept(key: ForeignKey, { cascadesBySql, children, ...input }: CarriedInput): void {
  if (!cascadesBySql || !changesRows(key.onUpdate)) return;
  const kept = children.find(
    (child) =>
      !changesRows(child.key.onUpdate) &&
      child.key.parentColumns.some((column) => key.columns.includes(column)),
  );
  if (kept === undefined) return;
  throw refused(
    { ...input, cascadesBySql, children },
    key,
    `changes a column by cascade that '${kept.key.name}' of '${kept.child.table}' keeps as it is`,
  );
}

function mentions(value: string, columns: readonly string[]): boolean {
  const wanted = columns.map((column) => column.toLowerCase());
  return tokenize(value).some(
    ({ kind, value: word }) => (kind === 'word' || kind === 'quoted') && wanted.includes(word.toLowerCase()),
  );
}

function refused({ origin }: CarriedInput, key: ForeignKey, why: string): Refusal {
  return new Refusal(
    'LHM_FOREIGN_KEYS',
    `Foreign key ${describeKey(`${origin.schema}.${origin.table}`, key)} ${why}.`,
    `Drop the key first (ALTER TABLE ${id(origin.table)} DROP FOREIGN KEY ${id(key.name)}; it takes no time), or use a native ALTER TABLE.`,
  );
}
