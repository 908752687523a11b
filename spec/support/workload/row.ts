import { LANE, LANES, Layout } from './layout';

/** What the driver gives for a column and takes for a placeholder; all numbers here are well below 2^53. */
export type Cell = number | string | null;

/** Everything the workload knows of a row. Columns that a migration adds are none of its business. */
export interface Row {
  readonly id: number;
  readonly bucket: number;
  readonly code: string;
  readonly v: number;
  readonly slot: number | null;
  readonly pair_version: number;
  /** Raised by the owner with every change, so that an older state of the row is never equal to a later one. */
  readonly version: number;
  readonly name: string;
  readonly amount: string;
  readonly happened_at: string;
  readonly doc: string;
  readonly note: string | null;
}

export type Column = keyof Row;

export const COLUMNS = [
  'id',
  'bucket',
  'code',
  'v',
  'slot',
  'pair_version',
  'version',
  'name',
  'amount',
  'happened_at',
  'doc',
  'note',
] as const satisfies readonly Column[];

export function toCells(row: Row): Cell[] {
  return COLUMNS.map((column) => row[column]);
}

/** Spelled out, because every row that a client reads passes here. The order is that of {@link COLUMNS}. */
export function fromCells(cells: readonly Cell[]): Row {
  const [id, bucket, code, v, slot, pair_version, version, name, amount, happened_at, doc, note] = cells;
  return { id, bucket, code, v, slot, pair_version, version, name, amount, happened_at, doc, note } as Row;
}

export function bucketOf(id: number): number {
  return id % 16;
}

/** In another order than the ids: a table keyed by it is filled and walked along quite differently. */
export function codeOf(id: number): string {
  return `${String((id * 7919) % 100_000).padStart(5, '0')}-${id}`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

/** The row as `prepareLedgerTable` made it. Must say the same as {@link PRISTINE_SQL}. */
export function pristineRow(id: number): Row {
  const lane = Layout.laneOf(id);
  const s = id % 86_400;
  return {
    id,
    bucket: bucketOf(id),
    code: codeOf(id),
    v: 0,
    slot: lane === LANE.slotA || lane === LANE.slotB ? id : null,
    pair_version: 0,
    version: 0,
    name: `name ${id} – žluť 🐎`,
    amount: `${id % 1000}.2500`,
    // Never a whole second: prepared statements then leave the fraction out.
    happened_at: `2020-01-01 ${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}.500000`,
    doc: `{"n": ${id}}`,
    note: id % 3 === 0 ? null : `note ${id}`,
  };
}

/** The same row for the server, given its id as `n`. */
export const PRISTINE_SQL: Record<Column, string> = {
  id: 'n',
  bucket: 'n MOD 16',
  code: "CONCAT(LPAD((n * 7919) MOD 100000, 5, '0'), '-', n)",
  v: '0',
  slot: `IF((n - 1) MOD ${LANES} IN (${LANE.slotA}, ${LANE.slotB}), n, NULL)`,
  pair_version: '0',
  version: '0',
  name: "CONCAT('name ', n, ' – žluť 🐎')",
  amount: '(n MOD 1000) + 0.25',
  happened_at: "TIMESTAMP('2020-01-01') + INTERVAL (n MOD 86400) SECOND + INTERVAL 500000 MICROSECOND",
  doc: `CONCAT('{"n": ', n, '}')`,
  note: "IF(n MOD 3 = 0, NULL, CONCAT('note ', n))",
};

/** The columns in which two states of a row differ; an empty string if they are the same. */
export function difference(expected: Row, actual: Row, mayHaveMore = 0): string {
  const parts: string[] = [];
  for (const column of COLUMNS) {
    const a = expected[column];
    const b = actual[column];
    if (a === b || (a !== null && b !== null && String(a) === String(b))) continue;
    if (column === 'v' && Number(b) > Number(a) && Number(b) <= Number(a) + mayHaveMore) continue;
    parts.push(`${column} is ${JSON.stringify(b)} instead of ${JSON.stringify(a)}`);
  }
  return parts.join(', ');
}
