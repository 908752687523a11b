import type { Database } from '../database/database';
import type { Session } from '../database/session';
import { Refusal } from '../errors';
import { keyCandidates, type KeyCandidate } from '../schema/chunk-key';
import { readTableSchema } from '../schema/read-table-schema';
import { columnNamed, type TableSchema } from '../schema/table-schema';

const UTC = '+00:00';

/**
 * The keys by which rows can be found in the session's time zone. Where clocks are turned back, an hour comes twice, and
 * the text of a TIMESTAMP does not tell which one is meant.
 */
export function usableCandidates(database: Database, origin: TableSchema): readonly KeyCandidate[] {
  const { usable } = keyCandidates(origin);
  if (!database.clocksGoBack) return usable;
  const clear = usable.filter((candidate) => !holdsTimestamp(candidate, origin));
  return clear.length > 0 ? clear : usable;
}

/**
 * Everything runs in the caller's time zone, so that conversions come out as a native ALTER's; but where every key holds
 * a TIMESTAMP and clocks are turned back, in UTC.
 *
 * @returns the definition as it reads in the time zone that is used
 */
export async function settleTimeZone(
  database: Database,
  session: Session,
  origin: TableSchema,
): Promise<TableSchema> {
  if (!needsUtc(database, origin)) return origin;
  await database.useTimeZone(UTC);
  return readTableSchema(session, origin);
}

/** @throws Refusal LHM_TIME_ZONE when UTC is needed, but the change would come out otherwise in it */
export function refuseDependence(
  database: Database,
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, string>,
): void {
  if (!needsUtc(database, origin)) return;
  const what = dependence(origin, ghost, mapping, values);
  if (what === null) return;
  throw new Refusal(
    'LHM_TIME_ZONE',
    `Every usable key of '${origin.table}' holds a TIMESTAMP, whose text is ambiguous in the time zone '${database.timeZone}' when clocks are turned back; so rows are copied in UTC, in which ${what} would come out otherwise.`,
    "Run the server in a time zone of a fixed offset (SET GLOBAL time_zone = '+01:00'; connections opened from then on use it), or give the table a key without a TIMESTAMP first.",
  );
}

function needsUtc(database: Database, origin: TableSchema): boolean {
  const { usable } = keyCandidates(origin);
  return (
    database.clocksGoBack &&
    usable.length > 0 &&
    usable.every((candidate) => holdsTimestamp(candidate, origin))
  );
}

function holdsTimestamp({ keys }: KeyCandidate, origin: TableSchema): boolean {
  return keys.names.some((name) => columnNamed(origin, name)?.dataType === 'timestamp');
}

function dependence(
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, string>,
): string | null {
  const [value] = values.keys();
  if (value !== undefined) return `the value of '${value}'`;
  const carried = new Set([...mapping.values()].map((name) => name.toLowerCase()));
  for (const [from, to] of mapping) {
    const types = [columnNamed(origin, from)?.dataType, columnNamed(ghost, to)?.dataType];
    if (types.includes('timestamp') && types[0] !== types[1]) return `the conversion of '${from}'`;
  }
  const stored = ghost.columns.find((column) => /STORED|PERSISTENT/i.test(column.extra) && column.generated);
  if (stored !== undefined) return `the stored column '${stored.name}'`;
  const functional = ghost.indexes.find((index) => index.parts.some((part) => part.column === null));
  if (functional !== undefined) return `the index '${functional.name}'`;
  const added = ghost.columns.find(
    (column) =>
      column.dataType === 'timestamp' &&
      !carried.has(column.name.toLowerCase()) &&
      column.default !== null &&
      !/^current_timestamp/i.test(column.default),
  );
  return added === undefined ? null : `the default of '${added.name}'`;
}
