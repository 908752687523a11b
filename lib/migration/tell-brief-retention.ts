import { briefRetention } from '../binlog/log-retention';
import type { Assembled } from './assemble';

/** An event `warning` where the log that is read may be removed sooner than the table is copied. */
export async function tellBriefRetention(
  { logged, database, observer, tell }: Assembled,
  rows: number,
): Promise<void> {
  if (logged === null) return;
  const other = logged === database ? null : logged;
  for (const message of await briefRetention(observer, other, rows)) tell('warning', { message });
}
