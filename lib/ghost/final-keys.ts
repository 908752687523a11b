import { sameTable, type ForeignKey } from '../schema/foreign-key';
import type { FinalKey } from '../schema/key-plan';
import { columnNamed, type TableSchema } from '../schema/table-schema';

export interface FinalInput {
  readonly origin: TableSchema;
  /** As the user's statements have left it. */
  readonly ghost: TableSchema;
  readonly mapping: ReadonlyMap<string, string>;
  /** Own key → what its copy on the ghost is called. */
  readonly copies: ReadonlyMap<string, string>;
  readonly name: (number: number) => string;
}

/**
 * The keys of the new table: those that the user's statements have left on the ghost, under the names that a native
 * ALTER would have given them.
 */
export function finalKeys(
  own: readonly ForeignKey[],
  found: readonly ForeignKey[],
  input: FinalInput,
): FinalKey[] {
  const { origin, ghost, copies } = input;
  const names = new Map([...copies].map(([name, copy]) => [copy, name]));
  let number = lastNumber(own, origin.table);
  return found.map((key, i): FinalKey => {
    const self = [origin, ghost].some((table) => sameTable(key.parent, table));
    const original = own.find(({ name }) => name === names.get(key.name));
    const before = original && moved(original, input);
    const parentColumns = sameTable(key.parent, origin)
      ? key.parentColumns.map((column) => target(column, input))
      : key.parentColumns;
    const parent = self ? { schema: ghost.schema, table: ghost.table } : key.parent;
    const unnamed = generatedNumber(key.name, ghost.table) !== null;
    const name = names.get(key.name) ?? (unnamed ? `${origin.table}_ibfk_${++number}` : key.name);
    // A name that was free when the ghost got it is free for the new table at once.
    const first = names.has(key.name) || unnamed ? input.name(i + 1) : key.name;
    const final = { ...key, name: first, parent, parentColumns };
    return { key: final, name, added: before === undefined || !same(before, final, parent) };
  });
}

/** The key as it would be with the columns' new names. */
function moved(key: ForeignKey, input: FinalInput): ForeignKey {
  const self = sameTable(key.parent, input.origin);
  return {
    ...key,
    columns: key.columns.map((column) => target(column, input)),
    parent: self ? { schema: input.ghost.schema, table: input.ghost.table } : key.parent,
    parentColumns: self ? key.parentColumns.map((column) => target(column, input)) : key.parentColumns,
  };
}

function target(column: string, { origin, mapping }: FinalInput): string {
  return mapping.get(columnNamed(origin, column)?.name ?? column) ?? column;
}

function same(one: ForeignKey, other: ForeignKey, parent: ForeignKey['parent']): boolean {
  const facts = (key: ForeignKey): string =>
    JSON.stringify([key.columns, key.parentColumns, key.onDelete, key.onUpdate]).toLowerCase();
  return facts(one) === facts(other) && sameTable(one.parent, parent);
}

/** The number in a name that the server made up; null in any other name. */
export function generatedNumber(name: string, table: string): number | null {
  const prefix = `${table}_ibfk_`;
  const number = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^\d+$/.test(number) ? Number(number) : null;
}

function lastNumber(own: readonly ForeignKey[], table: string): number {
  return Math.max(0, ...own.map(({ name }) => generatedNumber(name, table) ?? 0));
}
