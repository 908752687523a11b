export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

export function formatMs(ms: number): string {
  return ms < 10_000 ? `${formatCount(Math.round(ms))} ms` : formatSeconds(ms);
}

export function formatSeconds(ms: number): string {
  return `${formatCount(Math.round(ms / 1000))} s`;
}

/** Columns as wide as they have to be: the first one to the left, the others as told. */
export function formatTable(rows: readonly (readonly string[])[], others: 'left' | 'right'): string[] {
  const width = (i: number): number => Math.max(...rows.map((row) => row[i]?.length ?? 0));
  const pad = (cell: string, i: number): string =>
    i > 0 && others === 'right' ? cell.padStart(width(i)) : cell.padEnd(width(i));
  return rows.map((row) => row.map(pad).join('   ').trimEnd());
}
