const BARS = '▁▂▃▄▅▆▇█';

/** The last values as bars, the highest as the highest. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(1, ...shown);
  return shown.map((value) => BARS[Math.round((value / most) * (BARS.length - 1))] ?? '').join('');
}
