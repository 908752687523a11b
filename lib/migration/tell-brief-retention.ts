import { briefRetention } from '../binlog/log-retention';
import type { Assembled } from './assemble';

/** An event `warning` where the log that is read may be removed sooner than the table is copied. */
export async function tellBriefRetention(
  { logged, database, observer, tell }: Assembled,
  rows: number,
): Promise<void> {
  if (logged === null) return;
  const session = logged === database ? observer : await logged.open('retention');
  try {
    for (const message of await briefRetention(session, rows)) tell('warning', { message });
  } finally {
    if (session !== observer) await session.close();
  }
}
