import { id, text } from '../database/sql';
import { lengthOf, type Column, type TableSchema } from './table-schema';
import { BYTES, CHARACTERS } from './type-families';

export type Comparison = '<' | '<=' | '>' | '>=';

/**
 * How one column of the chunk key travels: out of the server as text or hexadecimal, back as a literal that
 * compares exactly as the stored value does. No value passes through a JavaScript number or Date.
 */
export interface KeyColumn extends KeyValue {
  readonly name: string;
  /** Whether the index, and so the walk, goes from the largest value to the smallest. */
  readonly descending: boolean;
}

interface KeyValue {
  /** The expression that fetches it. `column` is already qualified and quoted. */
  fetch(column: string): string;
  /** The literal for a fetched value. */
  literal(fetched: string): string;
  /** A condition that is true when the two columns differ in any byte. */
  differs(left: string, right: string): string;
  /**
   * How it is written down in tables of the library's own, where not as it is. Strict mode takes an ENUM's number 0 from a
   * column, but not from a literal.
   */
  readonly recorded?: { readonly type: string; value(column: string): string };
  /** A comparison with a fetched value, where `column <operator> literal` makes no range of an index. */
  compare?(column: string, operator: Comparison, fetched: string): string;
}

const NUMBERS = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'year']);
const TIMES = new Set(['date', 'time', 'datetime']);
const SPELLED = new Set(['uuid', 'inet4', 'inet6']);

/**
 * null for a column that cannot be part of a chunk key: FLOAT and DOUBLE do not compare equal to their own text, a
 * SET is compared as a floating-point number, and the rest cannot be indexed whole.
 */
export function keyColumn(column: Column, descending = false): KeyColumn | null {
  const value = keyValue(column);
  return value === null ? null : { name: column.name, descending, ...value };
}

function keyValue(column: Column): KeyValue | null {
  const { dataType, charset } = column;
  if (NUMBERS.has(dataType)) {
    // Without the zeros of ZEROFILL: the same number is one key, however wide the ghost shows it.
    const bare = /zerofill/i.test(column.columnType) ? ' + 0' : '';
    return {
      fetch: (c) => `CAST(${c}${bare} AS CHAR)`,
      literal: (v) => v,
      differs: (l, r) => `${l} <> ${r}`,
    };
  }
  if (dataType === 'bit') return coded;
  if (dataType === 'enum') {
    const members = column.columnType.match(/'(?:[^']|'')*'/g)?.length ?? 0;
    return {
      ...coded,
      recorded: { type: 'SMALLINT UNSIGNED', value: (c) => `${c} + 0` },
      compare: (c, operator, v) => memberCondition(c, operator, Number(v), members),
    };
  }
  if (CHARACTERS.has(dataType)) {
    return {
      fetch: (c) => `HEX(${c})`,
      literal: (v) => `_${charset ?? 'binary'} X'${v}'`,
      differs: (l, r) => `CAST(${l} AS BINARY) <> CAST(${r} AS BINARY)`,
    };
  }
  if (BYTES.has(dataType)) {
    return { fetch: (c) => `HEX(${c})`, literal: (v) => `X'${v}'`, differs: (l, r) => `${l} <> ${r}` };
  }
  if (dataType === 'timestamp') {
    // The application's session compares local times: two instants of an hour that comes twice look the same to it.
    return { fetch: (c) => `CAST(${c} AS CHAR)`, literal: text, differs: () => 'TRUE' };
  }
  if (TIMES.has(dataType) || SPELLED.has(dataType)) {
    return { fetch: (c) => `CAST(${c} AS CHAR)`, literal: text, differs: (l, r) => `${l} <> ${r}` };
  }
  return null;
}

/** Compared by number, the way they are sorted in an index; as text they would be sorted by spelling. */
const coded: KeyValue = {
  fetch: (c) => `CAST(CAST(${c} AS UNSIGNED) AS CHAR)`,
  literal: (v) => v,
  differs: (l, r) => `${l} + 0 <> ${r} + 0`,
};

/**
 * Both servers look up a member of an ENUM in an index, but scan the whole of it for `<` and `>`; so all members that meet
 * the condition are listed. Number 0 is what a value that is no member was made.
 */
function memberCondition(column: string, operator: Comparison, bound: number, members: number): string {
  const [first, last] = operator.startsWith('<') ? [0, bound] : [bound, members];
  const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const listed = operator.endsWith('=') ? numbers : numbers.filter((number) => number !== bound);
  return listed.length === 0 ? 'FALSE' : `${column} IN (${listed.join(', ')})`;
}

/** Bytes that a value of the column takes at most, as far as its length is part of its type; 32 otherwise. */
export function widthOf(column: Column | undefined): number {
  if (column === undefined || !/char|binary/.test(column.dataType)) return 32;
  return (lengthOf(column) ?? 1) * (column.charset === null || column.charset === 'latin1' ? 1 : 4);
}

/** A key's value: one fetched string for each of its columns. */
export type RowKey = readonly string[];

/** The columns of a chunk key, in the order of its index. */
export class KeyColumns {
  constructor(readonly columns: readonly KeyColumn[]) {}

  get names(): string[] {
    return this.columns.map((column) => column.name);
  }

  /** `fetch(col) AS hadron_k0, …`; a statement that fetches two keys names the second one's columns otherwise. */
  select(alias: string, as = 'hadron_k'): string {
    return this.columns
      .map((column, i) => `${column.fetch(`${alias}.${id(column.name)}`)} AS ${as}${i}`)
      .join(', ');
  }

  /** The key out of a row that {@link select} fetched. */
  read(row: Record<string, unknown>, as = 'hadron_k'): RowKey {
    return this.columns.map((_, i) => String(row[`${as}${i}`]));
  }

  /** What ORDER BY takes to follow the walk; or to go against it. */
  order(alias: string, reversed = false): string {
    return this.columns
      .map(({ name, descending }) => `${alias}.${id(name)}${descending === reversed ? '' : ' DESC'}`)
      .join(', ');
  }

  literals(key: RowKey): string[] {
    return this.columns.map((column, i) => column.literal(key[i] ?? ''));
  }

  /** For people: `id = 5` or `(a, b) = (1, 'x')`. */
  describe(key: RowKey): string {
    return this.columns.map((column, i) => `${column.name} = ${column.literal(key[i] ?? '')}`).join(', ');
  }

  /** Every column renamed, for the same key on the ghost. */
  renamed(mapping: ReadonlyMap<string, string>): KeyColumns {
    return new KeyColumns(
      this.columns.map((column) => ({ ...column, name: mapping.get(column.name) ?? column.name })),
    );
  }

  /** The same key, walked the way another table's index that begins with its columns is sorted. */
  sortedLike({ indexes }: TableSchema, name: string): KeyColumns {
    const parts = indexes.find((index) => index.name === name)?.parts ?? [];
    return new KeyColumns(
      this.columns.map((column, i) => ({ ...column, descending: parts[i]?.descending ?? column.descending })),
    );
  }
}
