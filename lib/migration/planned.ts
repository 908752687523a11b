import type { EventMap } from '../events/event-map';
import type { TablePair } from '../schema/table-pair';

/** What is told of a migration once it is clear how rows get from the one table to the other. */
export function planned(
  { names, key, origin, mapping }: TablePair,
  statements: readonly string[],
): Omit<EventMap['planned'], 'table'> {
  return {
    ghostTable: names.ghost,
    oldTable: names.old,
    key: key.originKeys.names,
    statements,
    dropped: origin.columns.map(({ name }) => name).filter((name) => !mapping.has(name)),
  };
}
