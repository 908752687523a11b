import type { Ledger } from './ledger';
import { difference, type Row } from './row';

export interface Difference {
  readonly category: 'lost' | 'extra' | 'wrong';
  readonly id: number;
  readonly detail: string;
}

/**
 * Compares rows that were read with what they must be.
 *
 * `asked` are the ids at which there may be a row in what was read; `unknown` says which of them this reader cannot
 * judge. Rows at other ids are extra.
 */
export function compare(
  ledger: Ledger,
  asked: Iterable<number>,
  rows: readonly Row[],
  unknown: (id: number) => boolean,
): Difference[] {
  const found: Difference[] = [];
  const present = new Set<number>();
  const skip = (id: number): boolean => ledger.uncertain(id) || unknown(id);
  for (const row of rows) {
    present.add(row.id);
    if (skip(row.id)) continue;
    const expected = ledger.expected(row.id);
    if (expected === null) {
      const why = ledger.used(row.id) ? 'it was deleted or moved away' : 'nobody inserted it';
      found.push({ category: 'extra', id: row.id, detail: `${why}: ${brief(row)}` });
      continue;
    }
    const detail = difference(expected, row, ledger.maybeMore(row.id));
    if (detail !== '') found.push({ category: 'wrong', id: row.id, detail });
  }
  for (const id of asked) {
    if (present.has(id) || skip(id)) continue;
    const expected = ledger.expected(id);
    if (expected !== null) found.push({ category: 'lost', id, detail: `missing: ${brief(expected)}` });
  }
  return found;
}

export function brief(row: Row): string {
  return `version ${row.version}, v ${row.v}, slot ${row.slot ?? 'NULL'}, code ${row.code}`;
}
