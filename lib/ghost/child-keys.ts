import { Refusal } from '../errors';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { describeKey } from '../schema/foreign-key';
import type { PlannedChild } from '../schema/key-plan';
import type { ChildKey } from '../schema/read-foreign-keys';
import { readIndexes } from '../schema/read-table-schema';
import { columnNamed, optionsOf, type Index, type TableSchema } from '../schema/table-schema';

export interface ChildInput {
  readonly origin: TableSchema;
  readonly ghost: TableSchema;
  readonly mapping: ReadonlyMap<string, string>;
  readonly values: ReadonlyMap<string, string>;
  readonly name: (number: number) => string;
}

/**
 * The keys of other tables, as they will lead to the new one.
 *
 * @throws Refusal LHM_FOREIGN_KEYS where a key could not lead there: what it references is dropped, converted or no key any more
 */
export async function plannedChildren(
  session: Session,
  keys: readonly ChildKey[],
  input: ChildInput,
): Promise<PlannedChild[]> {
  const planned: PlannedChild[] = [];
  const uniqueOnly = await wantsUnique(session);
  for (const [i, { child, key }] of keys.entries()) {
    const parentColumns = key.parentColumns.map((column) => referenced(column, { child, key }, input));
    refuseWithoutIndex(parentColumns, { child, key }, input, uniqueOnly);
    const indexes = (await readIndexes(session, child)).filter((index) => mayBeMadeFor(index, key.columns));
    const parent = { schema: input.ghost.schema, table: input.ghost.table };
    planned.push({
      child,
      key,
      standIn: { ...key, name: input.name(i + 1), parent, parentColumns },
      indexes: indexes.map(({ name }) => name),
    });
  }
  return planned;
}

function referenced(column: string, child: ChildKey, input: ChildInput): string {
  const before = columnNamed(input.origin, column);
  const name = input.mapping.get(before?.name ?? column);
  const after = name === undefined ? undefined : columnNamed(input.ghost, name);
  if (before === undefined || after === undefined)
    throw refused(child, input, `drops its column '${column}'`);
  if (
    before.columnType !== after.columnType ||
    before.collation !== after.collation ||
    before.generated !== after.generated
  )
    throw refused(child, input, `changes the type of its column '${column}'`);
  if (input.values.has(after.name.toLowerCase()))
    throw refused(child, input, `fills its column '${column}' by an expression`);
  return after.name;
}

/** Every server wants an index on what is referenced; some a unique one. */
function refuseWithoutIndex(
  columns: readonly string[],
  child: ChildKey,
  input: ChildInput,
  uniqueOnly: boolean,
): void {
  if (/\bPARTITION BY\b/.test(optionsOf(input.ghost.createSql)))
    throw refused(child, input, 'makes it a partitioned table, which nothing may reference');
  const begins = (index: Index): boolean =>
    index.type !== 'FULLTEXT' && columns.every((column, i) => isPart(index, i, column));
  const unique = (table: TableSchema, parts: readonly string[]): boolean =>
    table.indexes.some(
      (index) =>
        index.unique &&
        index.parts.length === parts.length &&
        parts.every((column, i) => isPart(index, i, column)),
    );
  if (!input.ghost.indexes.some(begins)) throw refused(child, input, 'drops the index that it needs');
  if (unique(input.ghost, columns)) return;
  if (unique(input.origin, child.key.parentColumns))
    throw refused(child, input, 'drops the unique key that it references');
  if (uniqueOnly)
    throw refused(
      child,
      input,
      'cannot be made by a copy: it references no unique key, which the server (restrict_fk_on_non_standard_key) takes for no new key',
    );
}

/** Newer servers keep keys that reference no unique one, and make no more of them. */
async function wantsUnique(session: Session): Promise<boolean> {
  const [row] = await session.query<{ Value: string }>(
    "SHOW SESSION VARIABLES LIKE 'restrict_fk_on_non_standard_key'",
  );
  return row?.Value.toUpperCase() === 'ON';
}

function isPart(index: Index, at: number, column: string): boolean {
  const part = index.parts[at];
  return part?.column?.toLowerCase() === column.toLowerCase() && part.prefix === null;
}

/** The server may have made it for the key, and would then replace it by one of the stand-in's name, built anew. */
export function mayBeMadeFor(index: Index, columns: readonly string[]): boolean {
  return (
    !index.unique &&
    index.parts.length === columns.length &&
    columns.every((column, i) => isPart(index, i, column))
  );
}

function refused({ child, key }: ChildKey, { origin }: ChildInput, why: string): Refusal {
  const full = `${child.schema}.${child.table}`;
  return new Refusal(
    'LHM_FOREIGN_KEYS',
    `Foreign key ${describeKey(full, key)} leads to '${origin.table}', and the ALTER ${why}.`,
    `Drop that key first (ALTER TABLE ${qualified(child.schema, child.table)} DROP FOREIGN KEY ${id(key.name)};), and add it again afterwards.`,
  );
}
