import { SENTRY_COMMENT } from '../cut-over/sentry-table';
import type { Session } from '../database/session';
import { derivedNames } from '../schema/derived-names';

/** An original that was kept. */
export interface OldTable {
  /** Within the schema. */
  readonly name: string;
  /** When the migration that kept it began. */
  readonly since: Date;
  /** With its indexes, by the server's statistics. */
  readonly bytes: number;
}

/** YYYYMMDDhhmmssmmm at the end of its name. */
const NAME = /_lhmo_(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/;

/** Whether the name is that of an old table of this one, of whichever run. */
export function isOldTableOf(table: string, name: string): boolean {
  const stamp = NAME.exec(name);
  return stamp !== null && derivedNames(table, stamp.slice(1).join('')).old === name;
}

/** The old tables of one table, or of all in the schema, without sentries; the oldest first. */
export async function oldTables(session: Session, schema: string, table: string | null): Promise<OldTable[]> {
  const rows = await session.query<{ name: string; bytes: string | null }>(
    `SELECT TABLE_NAME AS name, DATA_LENGTH + INDEX_LENGTH AS bytes FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME LIKE '%\\_lhmo\\_%' AND TABLE_COMMENT <> ?`,
    [schema, SENTRY_COMMENT],
  );
  return rows
    .flatMap(({ name, bytes }): OldTable[] => {
      const stamp = NAME.exec(name);
      if (stamp === null) return [];
      const digits = stamp.slice(1);
      if (table !== null && !isOldTableOf(table, name)) return [];
      const [year, month, day, hours, minutes, seconds, ms] = digits.map(Number) as [
        ...[number, number, number, number, number, number, number],
      ];
      const since = new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds, ms));
      return [{ name, since, bytes: Number(bytes ?? 0) }];
    })
    .sort((a, b) => a.since.getTime() - b.since.getTime());
}
