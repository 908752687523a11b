import { isCounter, type TableSchema } from './table-schema';

const BITS: Readonly<Record<string, bigint>> = {
  tinyint: 8n,
  smallint: 16n,
  mediumint: 24n,
  int: 32n,
  bigint: 64n,
};

/** The highest number that the table's counter can give out; null where it has none. */
export function highestId({ columns }: Pick<TableSchema, 'columns'>): bigint | null {
  const counter = columns.find(isCounter);
  const bits = BITS[counter?.dataType ?? ''];
  if (counter === undefined || bits === undefined) return null;
  return 2n ** (/unsigned/i.test(counter.columnType) ? bits : bits - 1n) - 1n;
}

/** Where the new table's counter goes on: the window further, unless the numbers would come to an end by it. */
export function withWindow(next: bigint, table: Pick<TableSchema, 'columns'>, window: number): bigint {
  const highest = highestId(table);
  const further = next + BigInt(window);
  return highest !== null && further > highest ? next : further;
}
