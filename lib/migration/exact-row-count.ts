import { nextRange, type Walk } from '../chunk/chunker';
import { afterCondition } from '../chunk/key-range';
import { messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { isOverTime, withTimeLimit } from '../database/time-limit';
import { debugLog } from '../events/debug-log';
import { clock } from '../util/clock';
import { pause } from '../util/pause';
import type { Assembled } from './assemble';

const log = debugLog('migration');

/** A copy that is over by then needs no count, in ms. */
const BEGIN_AFTER_MS = 2000;

/** Rows counted by one statement, each of which sees the table with a read view of its own. */
const ROWS_AT_ONCE = 20_000;

/** Fewest rows, after statements that took too long. */
const ROWS_LEAST = 500;

/** Longest that one statement may take, and that stopping may take, in ms. */
const STATEMENT_MS = 500;

/** How often it is looked whether the migration still makes way for others, in ms. */
const HOLD_MS = 200;

/** A count that runs beside the copy. `stop` never rejects; then its session is closed, and no read view of it is left. */
export interface RowCount {
  /** @param complete whether all rows were copied, so that their number is known in any case */
  stop(complete: boolean): Promise<void>;
}

/**
 * Counts the rows that are not copied yet, beside the copy, on a session of its own: range by range, so that it never holds
 * an old read view nor the table for long, with rests as long as the work. Whatever fails, the estimate stays.
 */
export function countRowsBeside(parts: Assembled): RowCount {
  if (!parts.options.exactRowCount) {
    const told = parts.hooks.runBeside('onRowCountComplete');
    return { stop: () => told };
  }
  let failed = false;
  const stopping = new AbortController();
  const { signal } = stopping;
  const abort = (): void => stopping.abort();
  if (parts.signal.aborted) abort();
  parts.signal.addEventListener('abort', abort, { once: true });
  const counting = count(parts, signal)
    .catch((error: unknown) => {
      if (signal.aborted) return;
      log('rows are not counted: %s', messageOf(error));
      parts.tell('warning', { message: `The rows are not counted, but estimated: ${messageOf(error)}.` });
    })
    .then(() => (failed ? undefined : parts.hooks.runBeside('onRowCountComplete')));
  return {
    stop: (complete) => {
      failed = !complete;
      parts.signal.removeEventListener('abort', abort);
      abort();
      return counting;
    },
  };
}

async function count(parts: Assembled, signal: AbortSignal): Promise<void> {
  await pause(BEGIN_AFTER_MS, signal);
  const session = await parts.database.open('row count');
  try {
    const { position } = parts.copier.copiedTo;
    const copied = parts.copier.rows;
    if (position === 'all') return;
    const ahead = await countFrom(parts, session, position === 'none' ? null : position, signal);
    parts.progress.update({ rowsEstimated: copied + ahead, rowsCounted: true });
    log('%d rows are counted', copied + ahead);
  } finally {
    await session.close();
  }
}

async function countFrom(
  { pair, server, throttler }: Assembled,
  session: Session,
  start: Parameters<typeof nextRange>[2],
  signal: AbortSignal,
): Promise<number> {
  const { originKeys: keys, originIndex: index } = pair.key;
  const walk: Walk = { schema: pair.schema, table: pair.origin.table, index, keys };
  let counted = 0;
  let size = ROWS_AT_ONCE;
  for (let after = start; ;) {
    signal.throwIfAborted();
    while (throttler.reason() !== null) await pause(HOLD_MS, signal);
    const began = clock.monotonic();
    try {
      const limited = <T>(work: () => Promise<T>): Promise<T> =>
        withTimeLimit(session, server, STATEMENT_MS, work);
      const from = after;
      const { upTo } = await limited(() => nextRange(session, walk, from, size));
      if (upTo === null) return counted + (await limited(() => countRest(session, walk, from)));
      counted += size;
      after = upTo;
    } catch (error) {
      if (!isOverTime(error) || size <= ROWS_LEAST) throw error;
      size = Math.max(ROWS_LEAST, Math.floor(size / 4));
    }
    await pause(clock.monotonic() - began, signal);
  }
}

/** Fewer than a range holds. */
async function countRest(
  session: Session,
  walk: Walk,
  after: Parameters<typeof nextRange>[2],
): Promise<number> {
  const alias = id(walk.table);
  const [row] = await session.query<{ n: number | string }>(
    `SELECT COUNT(*) AS n FROM ${qualified(walk.schema, walk.table)} FORCE INDEX (${id(walk.index)})` +
      ` WHERE ${after === null ? 'TRUE' : afterCondition(walk.keys, alias, after)}`,
  );
  return Number(row?.n);
}
