import fc from 'fast-check';
import { record } from './record';
import { KEYS, keyOf, RENAMED, isRenamed, type Shape } from './shape';

interface Values {
  readonly uniq: number | null;
  readonly loose: number | null;
  readonly num: number;
  readonly amount: number | null;
  readonly note: string | null;
}

/** A statement of the application, told by numbers of keys, so that it means something for every kind of key. */
export type Dml =
  | { readonly do: 'insert' | 'replace' | 'upsert'; readonly key: number; readonly values: Values }
  | { readonly do: 'insertAuto'; readonly values: Values }
  | { readonly do: 'update'; readonly key: number; readonly set: Partial<Values> }
  | { readonly do: 'delete'; readonly key: number }
  | { readonly do: 'move'; readonly key: number; readonly to: number }
  | { readonly do: 'moveAll'; readonly from: number; readonly by: 1 | -1 }
  | { readonly do: 'shiftUnique'; readonly by: 1 | -1 }
  | { readonly do: 'swapUnique'; readonly key: number; readonly other: number }
  | { readonly do: 'updateAll'; readonly from: number };

const key = fc.nat(KEYS - 1);
const uniq = fc.option(fc.nat(7), { freq: 4 });
const values: fc.Arbitrary<Values> = record({
  uniq,
  loose: fc.option(fc.nat(12), { freq: 3 }),
  num: fc.integer({ min: -2, max: 9 }),
  amount: fc.option(fc.constantFrom(0.1, -3.5, 16777217.3, 1e-7), { freq: 3 }),
  note: fc.option(fc.constantFrom('', 'x', 'y ', "it's"), { freq: 3 }),
});
const by = fc.constantFrom(1 as const, -1 as const);

/** Both in one record: a statement that shrinks stays a statement. */
export const dml: fc.Arbitrary<Dml> = fc.oneof(
  { weight: 4, arbitrary: record({ do: fc.constant('insert' as const), key, values }) },
  { weight: 3, arbitrary: record({ do: fc.constant('replace' as const), key, values }) },
  { weight: 3, arbitrary: record({ do: fc.constant('upsert' as const), key, values }) },
  { weight: 1, arbitrary: record({ do: fc.constant('insertAuto' as const), values }) },
  {
    weight: 4,
    arbitrary: record({ do: fc.constant('update' as const), key, set: values.chain(someOf) }),
  },
  { weight: 3, arbitrary: record({ do: fc.constant('delete' as const), key }) },
  { weight: 3, arbitrary: record({ do: fc.constant('move' as const), key, to: key }) },
  { weight: 1, arbitrary: record({ do: fc.constant('moveAll' as const), from: key, by }) },
  { weight: 1, arbitrary: record({ do: fc.constant('shiftUnique' as const), by }) },
  { weight: 3, arbitrary: record({ do: fc.constant('swapUnique' as const), key, other: key }) },
  { weight: 1, arbitrary: record({ do: fc.constant('updateAll' as const), from: key }) },
);

/** What a statement may lock: connections of the model must not wait for each other. */
export function touches(dml: Dml): 'everything' | readonly string[] {
  switch (dml.do) {
    case 'insert':
    case 'replace':
    case 'upsert':
      return [`key ${dml.key}`, `uniq ${dml.values.uniq ?? `of ${dml.key}`}`];
    case 'update':
      return [`key ${dml.key}`, ...(typeof dml.set.uniq === 'number' ? [`uniq ${dml.set.uniq}`] : [])];
    case 'delete':
      return [`key ${dml.key}`];
    case 'move':
      return [`key ${dml.key}`, `key ${dml.to}`];
    case 'insertAuto':
      return [`uniq ${dml.values.uniq ?? 'of none'}`];
    case 'swapUnique':
      return [`key ${dml.key}`, `key ${dml.other}`];
    case 'moveAll':
    case 'shiftUnique':
    case 'updateAll':
      return 'everything';
  }
}

function someOf(all: Values): fc.Arbitrary<Partial<Values>> {
  return fc
    .subarray(Object.keys(all) as (keyof Values)[], { minLength: 1 })
    .map((names) => Object.fromEntries(names.map((name) => [name, all[name]])));
}

/** One literal of SQL. */
function literal(value: number | string | null | undefined): string {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

/** Renders statements for one of the tables. */
export class DmlSql {
  /** @param changed whether the table has its new definition */
  constructor(
    private readonly shape: Shape,
    private readonly table: string,
    private readonly changed: boolean,
  ) {}

  /** Statements that belong together; empty where the kind of key gives them no meaning. */
  render(dml: Dml): string[] {
    const { table } = this;
    const { columns, counts, auto } = keyOf(this.shape);
    const [first = ''] = columns;
    switch (dml.do) {
      case 'insert':
      case 'replace':
        return [
          `${dml.do === 'insert' ? 'INSERT' : 'REPLACE'} INTO ${this.row(dml.values, this.literals(dml.key))}`,
        ];
      case 'upsert':
        return [
          `INSERT INTO ${this.row(dml.values, this.literals(dml.key))} ON DUPLICATE KEY UPDATE num = num + 1, uniq = ${literal(dml.values.uniq)}`,
        ];
      case 'insertAuto':
        return auto ? [`INSERT INTO ${this.row(dml.values, null)}`] : [];
      case 'update':
        return [`UPDATE ${table} SET ${this.assign(dml.set)} WHERE ${this.is(dml.key)}`];
      case 'delete':
        return [`DELETE FROM ${table} WHERE ${this.is(dml.key)}`];
      case 'move': {
        const to = this.literals(dml.to);
        const set = columns.map((column, i) => `${column} = ${to[i]!}`).join(', ');
        return [`UPDATE ${table} SET ${set} WHERE ${this.is(dml.key)}`];
      }
      case 'moveAll': {
        if (!counts) return [];
        const order = dml.by > 0 ? 'DESC' : 'ASC';
        const from = this.literals(dml.from)[0]!;
        return [
          `UPDATE ${table} SET ${first} = ${first} + ${dml.by} WHERE ${first} >= ${from} ORDER BY ${first} ${order}`,
        ];
      }
      case 'shiftUnique':
        return [
          `UPDATE ${table} SET uniq = uniq + ${dml.by} WHERE uniq IS NOT NULL ORDER BY uniq ${dml.by > 0 ? 'DESC' : 'ASC'}`,
        ];
      case 'swapUnique':
        return [
          `SET @one = (SELECT uniq FROM ${table} WHERE ${this.is(dml.key)}), @other = (SELECT uniq FROM ${table} WHERE ${this.is(dml.other)})`,
          `UPDATE ${table} SET uniq = NULL WHERE ${this.is(dml.key)}`,
          `UPDATE ${table} SET uniq = @one WHERE ${this.is(dml.other)}`,
          `UPDATE ${table} SET uniq = @other WHERE ${this.is(dml.key)}`,
        ];
      case 'updateAll':
        return [`UPDATE ${table} SET num = 1 - num, ${this.note} = 'all' WHERE num >= ${dml.from - 3}`];
    }
  }

  /** The key that the server gave, for the other table. */
  withKey(dml: Dml & { do: 'insertAuto' }, given: number): string {
    return `INSERT INTO ${this.row(dml.values, [String(given)])}`;
  }

  /** Every column that both definitions have, by its old name. */
  get columns(): string {
    const { columns } = keyOf(this.shape);
    return [...columns, 'uniq', 'loose', 'num', 'amount', `${this.note} AS note`].join(', ');
  }

  private get note(): string {
    return this.changed && isRenamed(this.shape) ? RENAMED : 'note';
  }

  private literals(number: number): readonly string[] {
    return keyOf(this.shape).literals(number);
  }

  private is(number: number): string {
    const literals = this.literals(number);
    return keyOf(this.shape)
      .columns.map((column, i) => `${column} = ${literals[i]!}`)
      .join(' AND ');
  }

  private row({ note, ...values }: Values, given: readonly string[] | null): string {
    const names = [...(given === null ? [] : keyOf(this.shape).columns), ...Object.keys(values), this.note];
    const literals = [...(given ?? []), ...Object.values(values).map(literal), literal(note)];
    return `${this.table} (${names.join(', ')}) VALUES (${literals.join(', ')})`;
  }

  private assign(set: Partial<Values>): string {
    return Object.entries(set)
      .map(([name, value]) => `${name === 'note' ? this.note : name} = ${literal(value)}`)
      .join(', ');
  }
}
