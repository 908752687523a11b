import type { Problem } from '../errors';
import type { MigrationPlan } from './plan';

/** Writes to the table, per second, from which on what triggers add to each is worth sparing. */
const MANY_WRITES = 500;

/**
 * By which mode the changes are better captured.
 *
 * @param problems what would be refused, of both modes
 * @param writesPerSecond of the table; null where the server does not tell
 */
export function suggestMode(
  problems: Readonly<Record<'triggers' | 'binlog', readonly Problem[]>>,
  writesPerSecond: number | null,
): MigrationPlan['suggestedMode'] {
  const { triggers, binlog } = problems;
  const againstTriggers = triggers.find((problem) => !binlog.some((other) => isSame(problem, other)));
  const againstBinlog = binlog.find((problem) => !triggers.some((other) => isSame(problem, other)));
  if (againstBinlog !== undefined)
    return { mode: 'triggers', why: `mode: 'binlog' would be refused: ${againstBinlog.message}` };
  if (againstTriggers !== undefined)
    return { mode: 'binlog', why: `mode: 'triggers' would be refused: ${againstTriggers.message}` };
  if (writesPerSecond !== null && writesPerSecond >= MANY_WRITES)
    return {
      mode: 'binlog',
      why: `the table has had ${Math.round(writesPerSecond)} writes a second, and triggers would add to each of them`,
    };
  return {
    mode: 'triggers',
    why: 'it needs no privilege on the whole server and no binary log, and the table is not written to so often that what triggers add would count',
  };
}

function isSame(one: Problem, other: Problem): boolean {
  return one.code === other.code && one.message === other.message;
}
