/** The pause before attempt `attempt + 1`: doubling from `firstMs` up to `mostMs`, with a random quarter taken off. */
export function backoff(attempt: number, firstMs: number, mostMs: number): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (1 - Math.random() / 4));
}
