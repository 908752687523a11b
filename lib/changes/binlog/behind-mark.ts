import { BinlogConnectionLost } from '../../binlog/binlog-errors';
import type { BinlogEvent } from '../../binlog/binlog-events';
import type { BinlogPosition } from '../../binlog/binlog-position';
import { BinlogStream } from '../../binlog/binlog-stream';
import type { StreamedTable } from '../../binlog/streamed-table';
import { clock } from '../../util/clock';
import { lostForGood, neverBack } from './binlog-refusals';
import { markIn } from './changelog-table';
import type { LogServer } from './log-server';

/** How long the first mark may take to come through a replica, in ms. */
const WITHIN_MS = 60_000;

/**
 * The place right behind a mark that is written now. A replica's log may come to what was done to the table long ago (as by
 * the migration before this one) after it was asked where it ends; before the mark nothing counts, because it was there when
 * the mark was written.
 *
 * @param write writes a mark to the primary
 * @throws Refusal LHM_REPLICA_UNFIT when it does not come
 */
export async function behindMark(
  log: LogServer,
  changelog: StreamedTable,
  signal: AbortSignal,
  write: () => Promise<number>,
): Promise<BinlogPosition> {
  const stream = new BinlogStream({ database: log.database, tables: [changelog] });
  const end = (): void => stream.close();
  const tooLate = clock.setTimeout(end, WITHIN_MS);
  signal.addEventListener('abort', end, { once: true });
  let lifeLock: string | null = null;
  try {
    await stream.start(await log.position());
    ({ lifeLock } = stream);
    const mark = await write();
    let seen = false;
    for await (const batch of stream) {
      for (const event of batch.events) {
        seen ||= marks(event) >= mark;
        if (seen && event.kind === 'commit') return event.position;
      }
    }
    signal.throwIfAborted();
    throw neverBack(WITHIN_MS);
  } catch (error) {
    throw error instanceof BinlogConnectionLost ? lostForGood(error) : error;
  } finally {
    clock.clearTimeout(tooLate);
    signal.removeEventListener('abort', end);
    end();
    await log.kill(lifeLock);
  }
}

function marks(event: BinlogEvent): number {
  return event.kind === 'rows' ? Math.max(0, ...event.rows.map((row) => markIn(row) ?? 0)) : 0;
}
