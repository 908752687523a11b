import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import { qualified, text } from '../database/sql';
import type { TriggerTurn } from '../changes/triggers/trigger-turn';
import type { DerivedNames } from '../schema/derived-names';
import { readTriggers } from '../schema/read-table-schema';

/** What the gates let pass: a number that only the migration's own session knows. */
export function passOf(epoch: string): string {
  return `SET @lhm_pass = ${text(epoch)}`;
}

/**
 * Triggers on the new table that refuse every write until the last change was applied to it. They outlive the process and
 * its locks, so a table that is not complete yet never takes a write, and can be given up for the original at any time.
 *
 * The error is that of a lock that was waited for in vain (1205), after which an application tries again; only the statement
 * is undone by it. After, and not before the row: see the note on DEFAULT in docs/cut-over.md.
 */
export async function closeGates(
  session: Session,
  schema: string,
  names: DerivedNames,
  epoch: string,
  turn: Pick<TriggerTurn, 'take' | 'end'>,
): Promise<void> {
  const there = (await readTriggers(session, { schema, table: names.ghost })).map(({ name }) => name);
  await turn.take();
  try {
    for (const [event, name] of Object.entries(names.gates)) {
      if (there.includes(name)) continue;
      await session.execute(
        `CREATE TRIGGER ${qualified(schema, name)} AFTER ${event.toUpperCase()} ON ${qualified(schema, names.ghost)}` +
          ` FOR EACH ROW BEGIN IF NOT (CONVERT(@lhm_pass USING utf8mb4) COLLATE utf8mb4_bin <=> _utf8mb4${text(epoch)} COLLATE utf8mb4_bin) THEN` +
          ` SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = ${text(`The table is being swapped; try again (${names.journal})`)};` +
          ' END IF; END',
      );
    }
  } finally {
    await turn.end();
  }
}

/** On the new table, whatever its name is. May be repeated. */
export async function openGates(
  session: Session,
  schema: string,
  names: Pick<DerivedNames, 'gates'>,
  bound: BoundedLock | null = null,
): Promise<void> {
  for (const name of Object.values(names.gates)) {
    const drop = (): Promise<unknown> => session.execute(`DROP TRIGGER IF EXISTS ${qualified(schema, name)}`);
    await (bound === null ? drop() : withBoundedLock(session, bound, drop));
  }
}
